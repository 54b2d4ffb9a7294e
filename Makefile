# SPDX-License-Identifier: Apache-2.0
#
# The entry point for people (`make`) and for CI (`make test`). SwiftPM builds Swift; the C modules,
# which run inside other programs' processes, are linked here, from the same sources, because SwiftPM
# would link the Swift runtime into them (packaging/modules.mk).

SHELL := /bin/bash
.DEFAULT_GOAL := build

SWIFT ?= swift
CONFIGURATION ?= release
# make ARCH=aarch64 builds for another architecture, in build/ARCH/floor (packaging/swiftlang/cross); packages, too.
ARCH ?= $(shell uname -m)
CROSS := $(if $(filter $(shell uname -m),$(ARCH)),,$(ARCH))
# With the standard library linked statically, the machine needs no part of the toolchain. -z now: no lazy binding.
# SwiftPM makes programs look for libraries in their own folder first (RUNPATH $ORIGIN); chrpath removes that. The
# linker strips, because it computes the build-id from its whole output, and symbols name files of the build folder.
SWIFTFLAGS ?= -c $(CONFIGURATION) --static-swift-stdlib -Xlinker -z -Xlinker now -Xlinker --strip-all
BUILD := $(if $(CROSS),build/$(CROSS)/floor,build)
ifneq ($(CROSS),)
MULTIARCH := $(CROSS)-linux-gnu
endif
export ARCH

# Packages are linked against older libraries than this machine's, where Debian's tools can fetch and unpack those.
LINKED := $(if $(shell command -v dpkg-deb),floor,build)

.PHONY: build cross own-build programs modules floor install packages deb rpm extension sysext selinux check-packages site check demo test test-deep attacks test-az fuzz bench bench-nss lint clean prerequisites

build: $(if $(CROSS),cross,programs modules)

cross:
	packaging/swiftlang/cross $(CROSS)

# Files that `sudo make` made belong to root, so no other user can build over them; nor over SwiftPM's lock files.
LOCKS := $(or $(TMPDIR),/tmp)/$(subst /,_,$(CURDIR)/.build)
own-build:
	@left=$$([ $$(id -u) -eq 0 ] || find .build $(BUILD) $(LOCKS)* ! -user $$(id -u) -print -quit 2>/dev/null); \
	  [ -z "$$left" ] || { echo "make: $$left belongs to another user, as after sudo make. Either sudo make again, or once:" \
	    "sudo chown -Rf $$(id -un): .build $(BUILD) '$(LOCKS)'*" >&2; exit 1; }

programs: own-build
	$(SWIFT) build $(SWIFTFLAGS) --product entralogind
	$(SWIFT) build $(SWIFTFLAGS) --product entraloginctl
	@mkdir -p $(BUILD)
	@bin=$$($(SWIFT) build $(SWIFTFLAGS) --show-bin-path) && \
	  for program in entralogind entraloginctl; do \
	    install -m 0755 "$$bin/$$program" $(BUILD)/$$program && \
	      chrpath -d $(BUILD)/$$program >/dev/null || exit 1; \
	  done

include packaging/modules.mk
include packaging/install.mk

# The same objects, linked so that they run on every distribution that is new enough, in build/floor.
floor: build
	$(if $(CROSS),,packaging/floor/link)

# Makes packages of the built programs in build/packages; Documentation/install.md.
packages: deb rpm

deb: floor selinux
	packaging/debian/build build/packages

rpm: $(LINKED) selinux
	packaging/rpm/build build/packages

# The VM extension with this machine's kind of package, and others in build/packages; Documentation/extension.md.
extension: $(if $(shell command -v dpkg-deb),deb,rpm)
	packaging/extension/build build/packages

# A system extension for machines whose /usr is an image: make sysext [LIBDIR=FOLDER]; Documentation/immutable.md.
sysext: $(LINKED)
	packaging/sysext/build build/packages

# Runs Debian's and RPM's own checks on the packages, and checks that a second Debian package has the same bytes.
check-packages: floor selinux
	packaging/check-packages build/packages

# The policy module, by the reference policy's own Makefile, and in the form that every distribution's policy accepts.
SELINUX_DEVEL ?= /usr/share/selinux/devel/Makefile
selinux: build/selinux/entralogin.pp build/selinux/entralogin.cil
build/selinux/entralogin.cil: build/selinux/entralogin.pp packaging/selinux/portable
	packaging/selinux/portable $< > $@.new && mv $@.new $@
build/selinux/entralogin.pp: $(wildcard packaging/selinux/entralogin.*)
	@mkdir -p $(@D) && cp packaging/selinux/entralogin.* $(@D)
	$(MAKE) --no-print-directory -C $(@D) -f $(SELINUX_DEVEL) entralogin.pp

# The pages and manual pages as a site, in build/site/site, with every link checked.
site:
	@"$$(.ci/python-tools site)/python" packaging/site/build build/site

prerequisites:
	@.ci/prerequisites

demo: prerequisites
	@Tests/Demo/demo

# While you work: lint, layers, licence lines, C modules, and without sanitizers the unit tests that the changes affect.
check: prerequisites
	@.ci/test --quick

test: prerequisites
	@.ci/test

test-deep:
	@.ci/prerequisites --deep
	@.ci/test --deep

# Every attack of Documentation/attacks.md, on real machines.
attacks: prerequisites build
	@Tests/Integration/run --attacks --deep
	@Tests/Integration/run --booted --attacks --deep
	@Tests/Integration/run --sudo-rs --attacks
	@Tests/Integration/run --elevation --attacks
	@Tests/Integration/run --directory --attacks
	@Tests/Integration/run --run0 --attacks

# A real client: azure-cli as it is published in the Python package index, in an environment of its own (400 MB, once).
test-az: prerequisites build
	@Tests/Integration/run --az

# make fuzz [TIME=SECONDS for each] [TARGET=NAME]
TIME ?= 60
fuzz: prerequisites
	@Tests/Fuzzers/run $(TIME) $(TARGET)

bench: prerequisites
	@Tests/Benchmarks/run

# Compares name services: entralogin's, files, SSSD, systemd, Google's OS Login. `ARGUMENTS="--size 1000"` does less.
bench-nss: prerequisites build
	@Tests/Benchmarks/nss/run $(ARGUMENTS)

lint:
	@.ci/test --only lint --only layers --only spdx

clean:
	rm -rf build .build
