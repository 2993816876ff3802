# levain: what can be made. Everything works on a fresh Debian 12 machine: what is missing of build/packages-build.txt is installed
# for building and booting, and of build/packages-test.txt for testing. No service is started or enabled.
bun := node_modules/.bin/bun
sources := $(shell find src build rootfs-skel -type f) package.json package-lock.json

.PHONY: all setup check vm test demo bench bench-unlock coverage clean

all: dist/levain

dist/levain: $(sources)
	@sh build/setup.sh build
	$(bun) build/compile.ts

# Everything that testing needs.
setup:
	@sh build/setup.sh test

# Types, style, and the tests that need no guest: seconds.
check: setup
	@$(bun) test/run.ts check

# The tests that boot guests in QEMU: minutes.
vm: setup dist/levain
	@$(bun) test/run.ts vm

# Everything; the last line is "N passed, N failed".
test: setup
	@$(bun) test/run.ts build check coverage vm

# Builds a USB-stick-like disk and boots it with the console on this terminal.
demo: dist/levain
	@$(bun) test/support/demo.ts

# levain beside Debian's initramfs-tools and dracut.
bench: setup dist/levain
	@$(bun) bench/run.ts

# Unlocking beside cryptsetup, on this host and in guests of two and four CPUs.
bench-unlock: setup
	@$(bun) bench/unlock.ts

coverage: setup
	@$(bun) test/support/coverage.ts

clean:
	rm -rf dist
