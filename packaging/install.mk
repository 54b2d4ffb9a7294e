# SPDX-License-Identifier: Apache-2.0
#
# make install DESTDIR=...: puts files in place and changes no other file of the machine. configure --enable wires them.
# Every folder can be overridden, but the drop-in for sshd, the units and the modules name the default ones.

DESTDIR ?=
INSTALL ?= install
CC ?= cc
SED ?= sed

# Debian and its kin keep libraries in a folder for each architecture; others in lib64 or lib.
MULTIARCH ?= $(shell $(CC) -print-multiarch 2>/dev/null)
LIBDIR ?= $(if $(MULTIARCH),/usr/lib/$(MULTIARCH),$(if $(wildcard /usr/lib64),/usr/lib64,/usr/lib))
NSSDIR ?= $(LIBDIR)
PAMDIR ?= $(LIBDIR)/security
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

UNITS := $(notdir $(wildcard systemd/*.service systemd/*.socket systemd/*.path systemd/*.timer))

.PHONY: install install-programs install-pieces install-completions install-units uninstall

install: install-programs install-pieces install-completions install-units
	@echo "Installed. Next, as root: $(LIBEXECDIR)/configure --enable"

install-programs:
	@for file in entralogind entraloginctl libnss_entralogin.so.2 pam_entralogin.so authorized-principals \
	  audit-events end-sessions; do \
	  test -f $(BUILD)/$$file || { echo "$(BUILD)/$$file is missing: run make first" >&2; exit 1; }; \
	done
	$(INSTALL) -D -m 0755 $(BUILD)/entralogind $(DESTDIR)$(SBINDIR)/entralogind
	$(INSTALL) -D -m 0755 $(BUILD)/entraloginctl $(DESTDIR)$(BINDIR)/entraloginctl
	$(INSTALL) -D -m 0644 $(BUILD)/libnss_entralogin.so.2 $(DESTDIR)$(NSSDIR)/libnss_entralogin.so.2
	$(INSTALL) -D -m 0644 $(BUILD)/pam_entralogin.so $(DESTDIR)$(PAMDIR)/pam_entralogin.so
	$(INSTALL) -d -m 0755 $(DESTDIR)$(LIBEXECDIR)
	$(INSTALL) -m 0755 $(BUILD)/authorized-principals $(DESTDIR)$(LIBEXECDIR)/authorized-principals
	$(INSTALL) -m 0755 $(BUILD)/audit-events $(DESTDIR)$(LIBEXECDIR)/audit-events
	$(INSTALL) -m 0755 $(BUILD)/end-sessions $(DESTDIR)$(LIBEXECDIR)/end-sessions

# Templates go to DATADIR; configure makes the machine's files of them. Settings that exist are never overwritten.
install-pieces:
	$(INSTALL) -D -m 0755 packaging/configure $(DESTDIR)$(LIBEXECDIR)/configure
	$(INSTALL) -d -m 0755 $(DESTDIR)$(LIBEXECDIR)/wiring
	$(INSTALL) -m 0644 packaging/wiring/*.sh $(DESTDIR)$(LIBEXECDIR)/wiring/
	$(INSTALL) -D -m 0755 packaging/forget-names $(DESTDIR)$(LIBEXECDIR)/forget-names
	$(INSTALL) -D -m 0644 packaging/sshd/00-entralogin.conf $(DESTDIR)$(DATADIR)/sshd/00-entralogin.conf
	$(INSTALL) -D -m 0644 packaging/sudoers/entralogin $(DESTDIR)$(DATADIR)/sudoers/entralogin
	$(INSTALL) -D -m 0644 packaging/nsswitch/nsswitch.conf $(DESTDIR)$(DATADIR)/nsswitch/nsswitch.conf
	$(INSTALL) -d -m 0755 $(DESTDIR)$(PAMCONFIGSDIR)
	$(SED) '/^#/d' packaging/pam/entralogin > $(DESTDIR)$(PAMCONFIGSDIR)/entralogin
	chmod 0644 $(DESTDIR)$(PAMCONFIGSDIR)/entralogin
	$(INSTALL) -D -m 0644 packaging/sysusers/entralogin.conf $(DESTDIR)$(SYSUSERSDIR)/entralogin.conf
	$(INSTALL) -D -m 0644 packaging/tmpfiles/entralogin.conf $(DESTDIR)$(TMPFILESDIR)/entralogin.conf
	$(INSTALL) -D -m 0644 packaging/entralogin.conf $(DESTDIR)$(DATADIR)/entralogin.conf
	for page in packaging/man/*.[0-9]; do \
	  $(INSTALL) -D -m 0644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}" || exit 1; \
	done
	for catalog in $(wildcard packaging/catalog/*.catalog); do \
	  $(INSTALL) -D -m 0644 "$$catalog" "$(DESTDIR)$(CATALOGDIR)/$${catalog##*/}" || exit 1; \
	done
	$(INSTALL) -D -m 0644 packaging/apparmor/entralogin $(DESTDIR)$(APPARMORDIR)/entralogin
	$(INSTALL) -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/entralogin/entralogin.conf.d
	test -e $(DESTDIR)$(SYSCONFDIR)/entralogin/entralogin.conf || \
	  $(INSTALL) -m 0644 packaging/entralogin.conf $(DESTDIR)$(SYSCONFDIR)/entralogin/entralogin.conf

# bash finds a command's completions by its name, zsh by a name with an underscore before it.
install-completions:
	test ! -e packaging/completions/bash || \
	  $(INSTALL) -D -m 0644 packaging/completions/bash $(DESTDIR)$(BASHDIR)/entraloginctl
	test ! -e packaging/completions/zsh || $(INSTALL) -D -m 0644 packaging/completions/zsh $(DESTDIR)$(ZSHDIR)/_entraloginctl
	test ! -e packaging/completions/fish || \
	  $(INSTALL) -D -m 0644 packaging/completions/fish $(DESTDIR)$(FISHDIR)/entraloginctl.fish

install-units:
	$(INSTALL) -d -m 0755 $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 0644 $(UNITS:%=systemd/%) $(DESTDIR)$(UNITDIR)/
	$(SED) -e 's|@NSSDIR@|$(NSSDIR)|' -e 's|@PAMDIR@|$(PAMDIR)|' systemd/entralogin-stack.path.in \
	  > $(DESTDIR)$(UNITDIR)/entralogin-stack.path
	chmod 0644 $(DESTDIR)$(UNITDIR)/entralogin-stack.path
	if test "$(SYSTEMD_VERSION)" -ge 254 2>/dev/null; then \
	  $(INSTALL) -D -m 0644 systemd/entralogind.service.d/50-back-off.conf \
	    $(DESTDIR)$(UNITDIR)/entralogind.service.d/50-back-off.conf; \
	fi

# Run configure --disable first. Settings and accounts stay: a uid is never given to anybody else.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/entralogind $(DESTDIR)$(BINDIR)/entraloginctl \
	  $(DESTDIR)$(NSSDIR)/libnss_entralogin.so.2 $(DESTDIR)$(PAMDIR)/pam_entralogin.so \
	  $(DESTDIR)$(PAMCONFIGSDIR)/entralogin $(DESTDIR)$(SYSUSERSDIR)/entralogin.conf \
	  $(DESTDIR)$(TMPFILESDIR)/entralogin.conf $(UNITS:%=$(DESTDIR)$(UNITDIR)/%) \
	  $(DESTDIR)$(UNITDIR)/entralogin-stack.path
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(UNITDIR)/entralogind.service.d \
	  $(DESTDIR)$(BASHDIR)/entraloginctl $(DESTDIR)$(ZSHDIR)/_entraloginctl $(DESTDIR)$(FISHDIR)/entraloginctl.fish
	for page in packaging/man/*.[0-9]; do rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
