# levain: `make help` lists the targets. A Debian 12 machine with Node is enough: missing packages of build/packages-build.txt are
# installed for building, those of packages-demo.txt for booting, those of packages-test.txt for testing. No service is started or enabled.
bun := node_modules/.bin/bun
sources := $(shell find src build rootfs-skel -type f) package.json package-lock.json

.PHONY: all aarch64 help setup check fix docs man vm test long demo bench reach bench-curves bench-unlock coverage deb tarball clean

all: dist/levain ## build dist/levain (the default)

dist/levain: $(sources)
	@sh build/setup.sh build
	$(bun) build/compile.ts

aarch64: dist/levain-aarch64 ## build dist/levain-aarch64, for 64-bit Arm, also on a PC

dist/levain-aarch64: $(sources)
	@sh build/setup.sh aarch64
	$(bun) build/compile.ts --target aarch64 $@

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "  make %-13s %s\n", $$1, $$2 }'

setup: ## install what building and testing need
	@sh build/setup.sh test

check: setup ## check types and style, and run the tests that need no guest
	@$(bun) test/run.ts check

fix: setup ## format the sources, and fix what Biome can fix
	node_modules/.bin/biome check --write

docs: setup ## write docs/parameters.md and docs/levain-toml.schema.json from their tables, and draw docs/stacks/
	$(bun) build/docs.ts

man: dist/levain ## write the manual pages into dist/man/
	$(bun) build/man.ts

vm: setup dist/levain dist/levain-aarch64 ## run the tests that boot guests in QEMU; T="part of a name" selects some, LOG=1 keeps all console logs, MEMORY=least: what their image needs, for guests that ask for no amount; GUEST_ARCH=aarch64: only what runs on AArch64
	@$(bun) test/run.ts vm

test: setup ## build and run every test; the last line is "N passed, N failed"
	@$(bun) test/run.ts build check coverage vm

long: setup dist/levain dist/levain-aarch64 ## run the tests that take too long for `make test`; T="part of a name" selects some
	@$(bun) test/run.ts long

demo: dist/levain ## boot a USB stick in QEMU on this terminal; CMDLINE="rd.debug" adds parameters, GDB=1 waits for gdb
	@sh build/setup.sh demo
	@$(bun) test/support/demo.ts

bench: setup dist/levain ## compare boot time, image and memory with initramfs-tools and dracut; ARGS="--only size" is shorter
	@$(bun) bench/run.ts $(ARGS)

reach: setup dist/levain dist/levain-aarch64 ## boot ten ways of storage on eight kernels, for the table of docs/kernels.md; ARGS=--missing continues a run that was stopped
	@$(bun) bench/reach.ts $(ARGS)

bench-curves: setup dist/levain ## draw what further disks, modules and layers cost (docs/curves/)
	@$(bun) bench/curves.ts $(ARGS)

bench-unlock: setup ## compare unlocking with cryptsetup
	@$(bun) bench/unlock.ts

deb: dist/levain ## make dist/levain_VERSION_amd64.deb, which makes levain the initramfs of a Debian system
	$(bun) build/packages/package.ts deb

tarball: dist/levain ## make dist/levain-VERSION-x86_64.tar.gz
	$(bun) build/packages/package.ts tarball

coverage: setup ## check that the tests run 90 % of the lines of src/
	@$(bun) test/support/coverage.ts

clean: ## remove dist/
	rm -rf dist
