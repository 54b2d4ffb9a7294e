# SPDX-License-Identifier: Apache-2.0
#
# The programs in C: the modules that run inside other programs' processes, the helper that sshd runs, the program that
# may write audit events, and the program that may end processes. SwiftPM would link the Swift runtime into them. The
# Makefile includes this file; `make -f packaging/modules.mk modules` works by itself.
#
#   modules             build/libnss_entralogin.so.2 build/libnss_entralogin_short.so.2 build/pam_entralogin.so
#                       build/authorized-principals build/sudo_entralogin.so build/audit-events build/end-sessions
#                       build/pam-probe
#   check-modules       both compilers, every warning an error; .ci/exports over what they built; then analyze
#   analyze             gcc's and clang's static analysis of all C, the tests' too; skips files that have not changed
#   check-modules-asan  the modules' sources under address and undefined-behaviour sanitizers, over damaged files; then
#                       check-nss and check-client
#   check-nss           the NSS module, loaded, under threads, forks, sandboxes and a changing file; as built, and under
#                       the address and thread sanitizers
#   check-client        the client's exchange when recv(2) reports the end before the message
#   fuzz-c              the fuzzers in C (clang), with the options FUZZ_EXTRA; Tests/Fuzzers/run runs them
#   fuzz-c-replay       the same bodies over their corpora, with any compiler

CC ?= cc
# The Swift toolchain's clang brings its sanitizers and libFuzzer along; a distribution's has them in another package.
CLANG ?= $(or $(wildcard $(dir $(realpath $(shell command -v swift 2>/dev/null)))clang),clang)
BUILD ?= build

C_INCLUDES := -I Sources/Core/CWire/include -I Sources/Core/CSnapshot/include -I Sources/System/CClient/include
# The options among these that the compiler knows for its target: it probes each page by which the stack grows, and the
# processor checks where calls and returns lead (x86-64, arm64).
C_HARDENING := $(foreach option,-fstack-clash-protection -fcf-protection -mbranch-protection=standard,$(shell \
	$(CC) -Werror $(option) -x c -c -o /dev/null /dev/null 2>/dev/null && echo $(option)))
C_FLAGS := -std=c11 -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -fPIC -fvisibility=hidden \
	-fstack-protector-strong $(C_HARDENING) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections $(C_INCLUDES)
C_LINK := -Wl,-z,defs,-z,relro,-z,now,-z,noexecstack,--gc-sections,--as-needed,--build-id -s
SHARED := -shared -Wl,-z,nodelete

WIRE_C := $(wildcard Sources/Core/CWire/*.c)
CLIENT_C := $(WIRE_C) $(wildcard Sources/System/CClient/*.c)
SNAPSHOT_C := $(wildcard Sources/Core/CSnapshot/*.c)
NSS_C := $(wildcard Sources/Programs/NSS/*.c) $(SNAPSHOT_C) $(CLIENT_C)
SUDO_C := $(wildcard Sources/Programs/Sudo/*.c) $(CLIENT_C)
PAM_C := $(wildcard Sources/Programs/PAM/*.c) $(SNAPSHOT_C) $(CLIENT_C)
PRINCIPALS_C := $(wildcard Sources/Programs/AuthorizedPrincipals/*.c) $(CLIENT_C)
PROBE_C := $(wildcard Sources/Programs/PAMProbe/*.c)
AUDIT_C := $(wildcard Sources/Programs/AuditEvents/*.c) $(CLIENT_C)
END_SESSIONS_C := $(wildcard Sources/Programs/EndSessions/*.c) $(CLIENT_C)
C_HEADERS := $(wildcard Sources/*/C*/include/*.h Sources/Core/CSnapshot/*.h Sources/Programs/*/*.h \
	Sources/Programs/*/include/*.h)

NSS_INCLUDES := -I Sources/Programs/NSS/include
SUDO_INCLUDES := -I Sources/Programs/Sudo/include
PAM_INCLUDES := -I Sources/Programs/PAM/include
PRINCIPALS_INCLUDES := -I Sources/Programs/AuthorizedPrincipals/include
AUDIT_INCLUDES := -I Sources/Programs/AuditEvents/include
END_SESSIONS_INCLUDES := -I Sources/Programs/EndSessions/include

NSS_MODULE := $(BUILD)/libnss_entralogin.so.2
SHORT_NSS_MODULE := $(BUILD)/libnss_entralogin_short.so.2
PAM_MODULE := $(BUILD)/pam_entralogin.so
SUDO_MODULE := $(BUILD)/sudo_entralogin.so
PRINCIPALS := $(BUILD)/authorized-principals
AUDIT_EVENTS := $(BUILD)/audit-events
END_SESSIONS := $(BUILD)/end-sessions
PAM_PROBE := $(BUILD)/pam-probe

.PHONY: modules analyze check-modules check-modules-asan check-nss check-client fuzz-c fuzz-c-replay

modules: $(NSS_MODULE) $(SHORT_NSS_MODULE) $(PAM_MODULE) $(SUDO_MODULE) $(PRINCIPALS) $(AUDIT_EVENTS) $(END_SESSIONS) $(PAM_PROBE)

$(NSS_MODULE): $(NSS_C) $(C_HEADERS) Sources/Programs/NSS/nss.map packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) $(CPPFLAGS) $(NSS_INCLUDES) $(SHARED) -Wl,-soname,libnss_entralogin.so.2 \
		-Wl,--version-script,Sources/Programs/NSS/nss.map $(C_LINK) -o $@ $(NSS_C) $(LDFLAGS)

$(SHORT_NSS_MODULE): $(NSS_C) $(C_HEADERS) Sources/Programs/NSS/short.map packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) $(CPPFLAGS) -DENTRALOGIN_NSS_SHORT=1 $(NSS_INCLUDES) $(SHARED) -Wl,-soname,libnss_entralogin_short.so.2 \
		-Wl,--version-script,Sources/Programs/NSS/short.map $(C_LINK) -o $@ $(NSS_C) $(LDFLAGS)

$(PAM_MODULE): $(PAM_C) $(C_HEADERS) Sources/Programs/PAM/pam.map packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) $(CPPFLAGS) $(PAM_INCLUDES) $(SHARED) -Wl,-soname,pam_entralogin.so \
		-Wl,--version-script,Sources/Programs/PAM/pam.map $(C_LINK) -o $@ $(PAM_C) -lpam $(LDFLAGS)

$(SUDO_MODULE): $(SUDO_C) $(C_HEADERS) Sources/Programs/Sudo/sudo.map packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(CFLAGS) $(CPPFLAGS) $(SUDO_INCLUDES) $(SHARED) -Wl,-soname,sudo_entralogin.so \
		-Wl,--version-script,Sources/Programs/Sudo/sudo.map $(C_LINK) -o $@ $(SUDO_C) $(LDFLAGS)

$(PRINCIPALS): $(PRINCIPALS_C) $(C_HEADERS) packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -fPIE $(CFLAGS) $(CPPFLAGS) $(PRINCIPALS_INCLUDES) -pie $(C_LINK) -o $@ $(PRINCIPALS_C) $(LDFLAGS)

$(AUDIT_EVENTS): $(AUDIT_C) $(C_HEADERS) packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -fPIE $(CFLAGS) $(CPPFLAGS) $(AUDIT_INCLUDES) -pie $(C_LINK) -o $@ $(AUDIT_C) $(LDFLAGS)

$(PAM_PROBE): $(PROBE_C) $(C_HEADERS) packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -fPIE $(CFLAGS) $(CPPFLAGS) $(PAM_INCLUDES) -pie $(C_LINK) -o $@ $(PROBE_C) -lpam $(LDFLAGS)

$(END_SESSIONS): $(END_SESSIONS_C) $(C_HEADERS) packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -fPIE $(CFLAGS) $(CPPFLAGS) $(END_SESSIONS_INCLUDES) -pie $(C_LINK) -o $@ $(END_SESSIONS_C) $(LDFLAGS)

CC_IS_GCC := $(filter $(realpath $(shell command -v gcc)),$(realpath $(shell command -v $(CC))))

check-modules: modules
	.ci/exports $(BUILD)
	$(if $(CC_IS_GCC),,$(MAKE) -f packaging/modules.mk modules CC=gcc BUILD=$(BUILD)/gcc)
	$(if $(CC_IS_GCC),,.ci/exports $(BUILD)/gcc)
	$(MAKE) -f packaging/modules.mk modules CC=$(CLANG) BUILD=$(BUILD)/clang
	.ci/exports $(BUILD)/clang
	$(MAKE) -f packaging/modules.mk -j $$(nproc) --no-print-directory analyze

# --- Static analysis ---

ANALYZED := $(wildcard Sources/*/*/*.c packaging/floor/*.c Tests/*/*.c Tests/*/*/*.c)
ANALYZED_HEADERS := $(C_HEADERS) $(wildcard Tests/*/*.h Tests/*/*/*.h)
ANALYZE_INCLUDES := $(addprefix -I ,$(sort $(dir $(ANALYZED_HEADERS))))

$(BUILD)/analyzed/%.gcc: %.c $(ANALYZED_HEADERS) packaging/modules.mk
	@mkdir -p $(@D)
	@gcc -std=c11 -O2 -Wall -Wextra -Werror -fanalyzer $(ANALYZE_INCLUDES) -c -o $@.o $< && rm $@.o && touch $@

$(BUILD)/analyzed/%.clang: %.c $(ANALYZED_HEADERS) packaging/modules.mk
	@mkdir -p $(@D)
	@$(CLANG) --analyze --analyzer-output text -Xclang -analyzer-werror -std=c11 $(ANALYZE_INCLUDES) -o $@.plist $< && \
	  touch $@

analyze: $(foreach compiler,gcc clang,$(ANALYZED:%.c=$(BUILD)/analyzed/%.$(compiler)))

# --- The loaded module in unusual processes: built as shipped, except for the paths of its files ---

SAMPLE := Tests/Support/SampleSnapshot
ROBUST_C := $(wildcard Tests/NSSModule/*.c $(SAMPLE)/*.c) Sources/Core/CSnapshot/hash.c
ROBUST_FLAGS := $(filter-out -fvisibility=hidden,$(C_FLAGS)) -pthread -I $(SAMPLE)
ROBUST_PLAIN :=
ROBUST_ADDRESS := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
ROBUST_THREAD := -g -O1 -fsanitize=thread

# $(1): the variant, and its folder
define ROBUST
$(BUILD)/robust/$(1)/robust: $(NSS_C) $(ROBUST_C) $(C_HEADERS) $(wildcard Tests/NSSModule/*.h $(SAMPLE)/*.h) packaging/modules.mk
	@mkdir -p $$(@D)
	$(CC) $(C_FLAGS) $(ROBUST_$(1)) $(NSS_INCLUDES) $$(ROBUST_PLACES) $(SHARED) -o $$(@D)/module.so $(NSS_C)
	$(CC) $(ROBUST_FLAGS) $(ROBUST_$(1)) $$(ROBUST_PLACES) -o $$@ $(ROBUST_C) -ldl
$(BUILD)/robust/$(1)/robust: ROBUST_PLACES = \
	-DENTRALOGIN_ACCOUNTS_SNAPSHOT='"$(abspath $(BUILD))/robust/$(1)/accounts"' \
	-DENTRALOGIN_GRANTS_SNAPSHOT='"$(abspath $(BUILD))/robust/$(1)/grants"' \
	-DENTRALOGIN_CONTROL_SOCKET='"$(abspath $(BUILD))/robust/$(1)/control.sock"'
endef
$(foreach variant,PLAIN ADDRESS THREAD,$(eval $(call ROBUST,$(variant))))

check-nss: $(foreach variant,PLAIN ADDRESS THREAD,$(BUILD)/robust/$(variant)/robust)
	$(BUILD)/robust/PLAIN/robust $(BUILD)/robust/PLAIN/module.so
	$(BUILD)/robust/ADDRESS/robust $(BUILD)/robust/ADDRESS/module.so
	$(BUILD)/robust/THREAD/robust $(BUILD)/robust/THREAD/module.so

# --- The client, under the sanitizers ---

CLIENT_TEST := $(BUILD)/client/early_end

$(CLIENT_TEST): Tests/Client/early_end.c $(CLIENT_C) $(C_HEADERS) packaging/modules.mk
	@mkdir -p $(@D)
	$(CC) $(filter-out -fvisibility=hidden,$(C_FLAGS)) $(ROBUST_ADDRESS) -pthread -Wl,--wrap=recv -o $@ \
		Tests/Client/early_end.c $(CLIENT_C)

check-client: $(CLIENT_TEST)
	$(CLIENT_TEST) $(dir $(CLIENT_TEST))

# --- Damaged files and lying daemons, under the sanitizers ---

FUZZ_INCLUDES := $(C_INCLUDES) $(NSS_INCLUDES) $(PAM_INCLUDES) $(PRINCIPALS_INCLUDES) $(AUDIT_INCLUDES) -I Sources/Programs/NSS \
	-I Sources/Programs/PAM -I Tests/Fuzzers/C -I $(SAMPLE)
FUZZ_FLAGS := -std=c11 -O1 -g -Wall -Wextra -Werror -U_FORTIFY_SOURCE -fno-omit-frame-pointer -fno-sanitize-recover=all \
	$(FUZZ_INCLUDES)
FUZZ_TARGETS := snapshot reply audit mapped
FUZZ_HEADERS := $(C_HEADERS) $(wildcard Tests/Fuzzers/*/*.h $(SAMPLE)/*.h) packaging/modules.mk
# The files that a reader opens are in the fuzzer's memory (Tests/Fuzzers/Snapshot/files.c).
FUZZ_snapshot := $(wildcard Tests/Fuzzers/Snapshot/*.c $(SAMPLE)/*.c) $(NSS_C)
FUZZ_LINK_snapshot := -Wl,--wrap=open,--wrap=fcntl,--wrap=fstat,--wrap=lstat,--wrap=syscall,--wrap=pread,--wrap=close
FUZZ_reply := $(wildcard Tests/Fuzzers/Reply/*.c) $(NSS_C) $(wildcard Sources/Programs/PAM/*.c) \
	Sources/Programs/AuthorizedPrincipals/principals.c
FUZZ_LINK_reply := -lpam
FUZZ_mapped := $(wildcard Tests/Fuzzers/Mapped/*.c) Sources/System/CClient/mapped.c $(WIRE_C)
FUZZ_LINK_mapped := -Wl,--wrap=open,--wrap=fstat,--wrap=read,--wrap=close
FUZZ_audit := $(wildcard Tests/Fuzzers/Audit/*.c) Sources/Programs/AuditEvents/text.c $(WIRE_C)

define fuzz_target
$(BUILD)/replay-$(1): $(FUZZ_$(1)) Tests/Fuzzers/C/replay.c $(FUZZ_HEADERS)
	@mkdir -p $$(@D)
	$(CC) $(FUZZ_FLAGS) -fsanitize=address,undefined -o $$@ $(FUZZ_$(1)) Tests/Fuzzers/C/replay.c $(FUZZ_LINK_$(1))

$(BUILD)/fuzz-$(1): $(FUZZ_$(1)) Tests/Fuzzers/C/entry.c $(FUZZ_HEADERS)
	@mkdir -p $$(@D)
	$(CLANG) $(FUZZ_FLAGS) $(FUZZ_EXTRA) -fsanitize=address,undefined,fuzzer -o $$@ $(FUZZ_$(1)) Tests/Fuzzers/C/entry.c \
		$(FUZZ_LINK_$(1))

fuzz-c-replay-$(1): $(BUILD)/replay-$(1)
	$(BUILD)/replay-$(1) $(wildcard Tests/Fuzzers/Corpora/$(1)/*)
.PHONY: fuzz-c-replay-$(1)
endef
$(foreach target,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(target))))

fuzz-c: $(FUZZ_TARGETS:%=$(BUILD)/fuzz-%)

fuzz-c-replay: $(FUZZ_TARGETS:%=fuzz-c-replay-%)

check-modules-asan: fuzz-c-replay check-nss check-client
