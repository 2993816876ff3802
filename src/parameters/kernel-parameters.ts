import { normaliseName } from "./cmdline.ts";

/*
 * Names without a dot that the kernel does not pass on (Documentation/admin-guide/kernel-parameters.txt): those seen on
 * real machines, and first the two of boot loaders that it drops since 2025 (`unknown_bootoption` of init/main.c). Which
 * of them a kernel knows depends on its configuration, so this list is only for use outside the initramfs; in a boot the
 * kernel has already passed on what it does not know (see inherited.ts).
 */
const NAMES = `
  BOOT_IMAGE kexec
  acpi acpi_backlight acpi_enforce_resources acpi_osi amd_iommu amd_pstate apparmor audit audit_backlog_limit boot_delay bootconfig cgroup_disable
  cgroup_enable cgroup_no_v1 clocksource cma coherent_pool consoleblank console crashkernel debug debugfs default_hugepagesz earlycon earlyprintk
  edd efi enforcing fbcon fips gpt hibernate highres hpet hugepages hugepagesz idle ignore_loglevel init_on_alloc init_on_free
  initcall_blacklist initcall_debug initrd intel_iommu intel_pstate iomem iommu ip irqaffinity irqpoll isolcpus keepinitrd kpti l1tf
  load_ramdisk lockdown log_buf_len loglevel lpj lsm maxcpus mce md mds mem memblock memmap mem_sleep_default mitigations module_blacklist
  netdev nfsroot nmi_watchdog no_console_suspend no_timer_check noapic noefi nohibernate nohlt nohz nohz_full noinitrd nokaslr nolapic
  nomodeset nomodule nopti noresume nosmap nosmep nosmp nosmt nosoftlockup nospec_store_bypass_disable nospectre_v1 nospectre_v2 nowatchdog no-kvmclock
  no-steal-acc nr_cpus numa numa_balancing oops page_owner page_poison panic panic_on_oops panic_on_warn panic_print parport pci
  pcie_aspm pcie_port_pm possible_cpus preempt processor profile prompt_ramdisk psi pti quiet raid ramdisk_size ramdisk_start
  rcu_nocb_poll rcu_nocbs rdinit reboot reserve reset_devices resume resume_offset resumedelay resumewait retain_initrd retbleed ro
  root rootdelay rootflags rootfstype rootwait rw security selinux skew_tick slab_nomerge slub_debug softlockup_panic
  spec_store_bypass_disable spectre_v2 srbds stacktrace swapaccount swiotlb sysrq_always_enabled threadirqs trace_buf_size trace_event
  trace_options transparent_hugepage tsc tsx tsx_async_abort unknown_nmi_panic vdso vga video vmalloc vsyscall
`;

let names: ReadonlySet<string> | null = null;

/** True if the kernel does not pass on a parameter of this name. The table is made at the first call, because a boot does not need it. */
export function isKernelParameter(name: string): boolean {
  names ??= new Set(NAMES.trim().split(/\s+/).map(normaliseName));
  return names.has(normaliseName(name));
}
