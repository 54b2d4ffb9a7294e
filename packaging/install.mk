# SPDX-License-Identifier: Apache-2.0
#
# make install DESTDIR=...: puts files in place and changes no other file of the machine.
# `configure --enable` then integrates them. Every folder can be overridden, but the drop-in
# for sshd, the units and the modules name the default ones.
#
# An existing file is replaced by rename, as package managers do it. install(1) would remove it first, and PAM skips a
# module that is missing: users whom it refuses could sign in meanwhile.

DESTDIR ?=
INSTALL ?= install
CC ?= cc
SED ?= sed

# Debian and its derivatives keep libraries in a folder for each architecture; others, in lib64 or lib.
MULTIARCH ?= $(shell $(CC) -print-multiarch 2>/dev/null)
LIBDIR ?= $(if $(MULTIARCH),/usr/lib/$(MULTIARCH),$(if $(wildcard /usr/lib64),/usr/lib64,/usr/lib))
NSSDIR ?= $(LIBDIR)
# libpam looks for modules only in the folder of its own ones. Where /lib is not a
# link to /usr/lib, that folder may lie outside LIBDIR.
PAM_UNIX := $(firstword $(wildcard $(LIBDIR)/security/pam_unix.so $(LIBDIR:/usr%=%)/security/pam_unix.so))
PAMDIR ?= $(patsubst %/,%,$(dir $(or $(PAM_UNIX),$(LIBDIR)/security/pam_unix.so)))
SBINDIR ?= /usr/sbin
BINDIR ?= /usr/bin
LIBEXECDIR ?= /usr/libexec/entralogin
DATADIR ?= /usr/share/entralogin
SYSCONFDIR ?= /etc
UNITDIR ?= /usr/lib/systemd/system
SYSUSERSDIR ?= /usr/lib/sysusers.d
TMPFILESDIR ?= /usr/lib/tmpfiles.d
PAMCONFIGSDIR ?= /usr/share/pam-configs
MANDIR ?= /usr/share/man
BASHDIR ?= /usr/share/bash-completion/completions
ZSHDIR ?= /usr/share/zsh/vendor-completions
FISHDIR ?= /usr/share/fish/vendor_completions.d
APPARMORDIR ?= /etc/apparmor.d/abstractions/nameservice.d
CATALOGDIR ?= /usr/lib/systemd/catalog
SYSTEMD_VERSION ?= $(shell systemctl --version 2>/dev/null | awk 'NR == 1 { print $$2 + 0 }')

# $(call put,MODE,SOURCE,TARGET)
put = { $(INSTALL) -D -m $(1) $(2) $(DESTDIR)$(3).new && mv -f $(DESTDIR)$(3).new $(DESTDIR)$(3); }
# $(call put_text,COMMAND,TARGET): puts the command's output in place.
put_text = $(INSTALL) -D -m 0644 /dev/null $(DESTDIR)$(2).new && $(1) > $(DESTDIR)$(2).new && \
	mv -f $(DESTDIR)$(2).new $(DESTDIR)$(2)

PRODUCT_VERSION := $(shell cat VERSION)
UNITS := $(notdir $(wildcard systemd/*.service systemd/*.socket systemd/*.path systemd/*.timer))

.PHONY: install install-programs install-pieces install-completions install-units uninstall

install: install-programs install-pieces install-completions install-units
	@echo "Installed. Next, as root: $(LIBEXECDIR)/configure --enable"

install-programs:
	@for file in entralogind entraloginctl libnss_entralogin.so.2 libnss_entralogin_short.so.2 pam_entralogin.so authorized-principals \
	  sudo_entralogin.so audit-events end-sessions pam-probe; do \
	  test -f $(BUILD)/$$file || { echo "$(BUILD)/$$file is missing: run make first" >&2; exit 1; }; \
	done
	$(call put,0755,$(BUILD)/entralogind,$(SBINDIR)/entralogind)
	$(call put,0755,$(BUILD)/entraloginctl,$(BINDIR)/entraloginctl)
	$(call put,0644,$(BUILD)/libnss_entralogin.so.2,$(NSSDIR)/libnss_entralogin.so.2)
	$(call put,0644,$(BUILD)/libnss_entralogin_short.so.2,$(NSSDIR)/libnss_entralogin_short.so.2)
	$(call put,0644,$(BUILD)/pam_entralogin.so,$(PAMDIR)/pam_entralogin.so)
	$(call put,0755,$(BUILD)/authorized-principals,$(LIBEXECDIR)/authorized-principals)
	$(call put,0644,$(BUILD)/sudo_entralogin.so,$(LIBEXECDIR)/sudo_entralogin.so)
	$(call put,0755,$(BUILD)/audit-events,$(LIBEXECDIR)/audit-events)
	$(call put,0755,$(BUILD)/end-sessions,$(LIBEXECDIR)/end-sessions)
	$(call put,0755,$(BUILD)/pam-probe,$(LIBEXECDIR)/pam-probe)

# Templates go to DATADIR; configure makes the machine's files from them. Existing settings are never overwritten.
install-pieces:
	for part in packaging/integration/*.sh; do \
	  $(call put,0644,"$$part",$(LIBEXECDIR)/integration/$${part##*/}) || exit 1; \
	done
	$(call put,0755,packaging/configure,$(LIBEXECDIR)/configure)
	rm -rf $(DESTDIR)$(LIBEXECDIR)/wiring  # the folder's former name
	$(call put,0755,packaging/forget-names,$(LIBEXECDIR)/forget-names)
	$(call put,0755,packaging/start-managers,$(LIBEXECDIR)/start-managers)
	$(call put,0644,packaging/sshd/00-entralogin.conf,$(DATADIR)/sshd/00-entralogin.conf)
	$(call put,0644,packaging/sudoers/entralogin,$(DATADIR)/sudoers/entralogin)
	$(call put,0644,packaging/sudoers/sudo-rs,$(DATADIR)/sudoers/sudo-rs)
	$(call put,0644,packaging/nsswitch/nsswitch.conf,$(DATADIR)/nsswitch/nsswitch.conf)
	$(call put_text,packaging/pam/profile packaging/pam/lines,$(PAMCONFIGSDIR)/entralogin)
	$(call put_text,packaging/pam/profile packaging/pam/lines short,$(PAMCONFIGSDIR)/entralogin-short)
	$(call put,0644,packaging/pam/lines,$(DATADIR)/pam/lines)
	$(call put,0644,packaging/sysusers/entralogin.conf,$(SYSUSERSDIR)/entralogin.conf)
	$(call put,0644,packaging/tmpfiles/entralogin.conf,$(TMPFILESDIR)/entralogin.conf)
	$(call put,0644,packaging/entralogin.conf,$(DATADIR)/entralogin.conf)
	for page in packaging/man/*.[0-9]; do \
	  $(call put_text,$(SED) '/^\.Os entralogin$$/s/$$/ $(PRODUCT_VERSION)/' "$$page",$(MANDIR)/man$${page##*.}/$${page##*/}) || exit 1; \
	done
	for catalog in $(wildcard packaging/catalog/*.catalog); do \
	  $(call put,0644,"$$catalog",$(CATALOGDIR)/$${catalog##*/}) || exit 1; \
	done
	$(call put,0644,packaging/apparmor/entralogin,$(APPARMORDIR)/entralogin)
	$(INSTALL) -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/entralogin/entralogin.conf.d
	test -e $(DESTDIR)$(SYSCONFDIR)/entralogin/entralogin.conf || \
	  $(call put,0644,packaging/entralogin.conf,$(SYSCONFDIR)/entralogin/entralogin.conf)

# bash finds a command's completions by its name, zsh by a name with an underscore before it.
install-completions:
	test ! -e packaging/completions/bash || \
	  $(call put,0644,packaging/completions/bash,$(BASHDIR)/entraloginctl)
	test ! -e packaging/completions/zsh || \
	  $(call put,0644,packaging/completions/zsh,$(ZSHDIR)/_entraloginctl)
	test ! -e packaging/completions/fish || \
	  $(call put,0644,packaging/completions/fish,$(FISHDIR)/entraloginctl.fish)

install-units:
	for unit in $(UNITS); do \
	  $(call put,0644,systemd/$$unit,$(UNITDIR)/$$unit) || exit 1; \
	done
	$(call put_text,$(SED) -e 's|@NSSDIR@|$(NSSDIR)|' -e 's|@PAMDIR@|$(PAMDIR)|' systemd/entralogin-stack.path.in,$(UNITDIR)/entralogin-stack.path)
	if test "$(SYSTEMD_VERSION)" -ge 254 2>/dev/null; then \
	  $(call put,0644,systemd/entralogind.service.d/50-back-off.conf,$(UNITDIR)/entralogind.service.d/50-back-off.conf); \
	fi

# Run configure --disable first: this stops while /etc/passwd has accounts that only the PAM module refuses. Settings
# and accounts stay, because a uid must never pass to another user.
uninstall:
	@! grep -qs '^[^:#]*:!\*adopted:' $(DESTDIR)/etc/passwd || \
	  { echo "/etc/passwd has accounts that pam_entralogin.so refuses: configure --disable first" >&2; exit 1; }
	rm -f $(DESTDIR)$(SBINDIR)/entralogind $(DESTDIR)$(BINDIR)/entraloginctl \
	  $(DESTDIR)$(NSSDIR)/libnss_entralogin.so.2 $(DESTDIR)$(NSSDIR)/libnss_entralogin_short.so.2 $(DESTDIR)$(PAMDIR)/pam_entralogin.so \
	  $(DESTDIR)$(PAMCONFIGSDIR)/entralogin $(DESTDIR)$(PAMCONFIGSDIR)/entralogin-short $(DESTDIR)$(SYSUSERSDIR)/entralogin.conf \
	  $(DESTDIR)$(TMPFILESDIR)/entralogin.conf $(UNITS:%=$(DESTDIR)$(UNITDIR)/%) \
	  $(DESTDIR)$(UNITDIR)/entralogin-stack.path $(DESTDIR)$(APPARMORDIR)/entralogin
	for catalog in packaging/catalog/*.catalog; do rm -f "$(DESTDIR)$(CATALOGDIR)/$${catalog##*/}"; done
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(UNITDIR)/entralogind.service.d \
	  $(DESTDIR)$(BASHDIR)/entraloginctl $(DESTDIR)$(ZSHDIR)/_entraloginctl $(DESTDIR)$(FISHDIR)/entraloginctl.fish
	for page in packaging/man/*.[0-9]; do rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
