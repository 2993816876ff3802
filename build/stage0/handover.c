#include "stage0.h"

enum { MAGIC, MODE, ROOT, PUT_OLD, INIT, IS_SYSTEMD, ARGUMENT_COUNT, ARGUMENTS };

static int is_power_mode(const char *mode)
{
  return is_same(mode, "reboot") || is_same(mode, "poweroff") || is_same(mode, "halt");
}

static int is_root_mode(const char *mode)
{
  return is_same(mode, "switch_root") || is_same(mode, "pivot_root") || is_same(mode, "stay");
}

/* Cuts the message into its strings. Returns their number, or less than 0 if the last is not terminated or there are too many. */
static long split_message(char *message, u64 size, char **words)
{
  long count = 0;
  for (u64 at = 0; at < size; at += length_of(message + at) + 1) {
    if (count == HANDOVER_WORDS) return -1;
    words[count++] = message + at;
  }
  return size > 0 && message[size - 1] == 0 ? count : -1;
}

static const char *check_places(const struct handover *handover)
{
  if (is_power_mode(handover->mode)) return 0;
  if (!is_root_mode(handover->mode)) return "its mode is unknown";
  if (handover->root[0] != '/') return "its root is not an absolute path";
  if (handover->init[0] != '/') return "its init is not an absolute path";
  if (handover->put_old[0] && handover->put_old[0] != '/') return "its place for the old root is not an absolute path";
  if (!handover->argv[0]) return "it has no argv";
  return 0;
}

const char *parse_handover(char *message, u64 size, char **words, struct handover *to)
{
  long arguments, variables;
  if (size == 0) return "none was sent";
  /* read_message() leaves room for one byte after the message. */
  message[size] = 0;
  long count = split_message(message, size, words);
  if (count < 0) return "it is truncated";
  if (count <= ARGUMENTS + 1 || !is_same(words[MAGIC], "levain1")) return "it is not of this version";
  if (!parse_number(words[ARGUMENT_COUNT], 0, &arguments)) return "argc is not a number";
  if (arguments > count - ARGUMENTS - 2) return "argc is too large";
  if (!parse_number(words[ARGUMENTS + arguments], 0, &variables)) return "envc is not a number";
  if (variables != count - ARGUMENTS - arguments - 2) return "envc does not match";
  if (!is_same(words[count - 1], "end")) return "it has no end";

  /* The second count and "end" are no longer needed: their places terminate argv and envp. */
  words[ARGUMENTS + arguments] = 0;
  words[count - 1] = 0;
  *to = (struct handover){words[MODE], words[ROOT], words[PUT_OLD], words[INIT], words[IS_SYSTEMD][0] != 0, words + ARGUMENTS, words + ARGUMENTS + arguments + 1, 0, -1, 0, {0, 0}};
  return check_places(to);
}

static long switch_root(const char *root)
{
  long error = change_directory(root);
  if (error >= 0) error = mount(".", "/", 0, MS_MOVE, 0);
  if (error >= 0) error = change_root(".");
  if (error >= 0) error = change_directory("/");
  return error;
}

/* pivot_root(2), NOTES: pivot_root(".", ".") stacks the old root over the new one, where it can be unmounted. */
static long enter_by_pivot(const char *root, const char *put_old)
{
  char place[4096] = ".";
  u64 length = length_of(put_old);
  if (length > sizeof place - 2) return -E2BIG;
  for (u64 i = 0; i < length; i++) place[i + 1] = put_old[i];
  place[length + 1] = 0;

  long error = change_directory(root);
  if (error >= 0) error = pivot_root(".", place);
  if (error >= 0) error = change_root(".");
  if (error >= 0 && !length) error = unmount(".", MNT_DETACH);
  if (error >= 0) error = change_directory("/");
  return error;
}

static void obey_power_mode(const char *mode)
{
  switch_power(is_same(mode, "reboot") ? REBOOT_RESTART : is_same(mode, "halt") ? REBOOT_HALT : REBOOT_POWER_OFF);
  say("the kernel refused to ", mode);
}

/* Done once: if the real init does not start, the next try begins in the new root. */
static int enter_root(struct handover *handover)
{
  int switches = is_same(handover->mode, "switch_root");
  /* levain has mounted the initramfs at the place for the old root as well: it is kept. */
  int is_kept = handover->put_old[0] != 0;
  long old_root = switches && !is_kept ? open_directory(AT_FDCWD, "/") : -1;
  long error = change_directory("/");
  if (switches) error = switch_root(handover->root);
  if (is_same(handover->mode, "pivot_root")) error = enter_by_pivot(handover->root, handover->put_old);
  if (error < 0) {
    say("could not make ", handover->root, " the root (", handover->mode, "): ", describe_error(error), ", error ", number_text(-error));
    if (old_root >= 0) close_file(old_root);
    return 0;
  }
  handover->is_entered = 1;
  handover->old_root = old_root;
  open_console();
  return 1;
}

/* The point of no return: the new root is entered, and its init is there. */
static void release_old_root(struct handover *handover)
{
  if (handover->old_root < 0 || !can_execute(handover->init)) return;
  empty_initramfs(handover->old_root);
  close_file(handover->old_root);
  handover->old_root = -1;
}

/* The words that the program adds to argv for systemd (SYSTEMD_ARGUMENTS of src/machine/linux/processes/processes.ts). */
#define STATE_WORDS 4

/*
 * What systemd in an initramfs leaves to that of the real system (manager_serialize() of its src/core/manager-serialize.c). Without the
 * file it must not be told of one: it would not start.
 */
static void leave_systemd_state(struct handover *handover)
{
  char numbers[2][24];
  const char *const parts[] = {"initrd-timestamp=", decimal((long)handover->began[0], numbers[0]), " ",
                               decimal((long)handover->began[1], numbers[1]), "\n", 0};
  long fd = make_memory_file("systemd-state", MFD_NOEXEC_SEAL);
  if (fd == -EINVAL) fd = make_memory_file("systemd-state", 0);
  for (int i = 0; fd >= 0 && parts[i]; i++) write_bytes(fd, parts[i], length_of(parts[i]));
  if (fd >= 0) seek_to_start(fd);
  if (fd >= 0 && duplicate(fd, STATE_FD, 0) >= 0) {
    if (fd != STATE_FD) close_file(fd);
    return;
  }
  long count = 0;
  while (handover->argv[count]) count++;
  if (count > STATE_WORDS) handover->argv[count - STATE_WORDS] = 0;
  handover->is_systemd = 0;
}

void follow_handover(struct handover *handover)
{
  if (is_power_mode(handover->mode)) {
    obey_power_mode(handover->mode);
    return;
  }
  if (!handover->is_entered && !enter_root(handover)) return;
  release_old_root(handover);
  if (handover->console) restore_console(handover->console);
  /* If the init cannot be executed, the old root is still open, perhaps at STATE_FD. */
  if (handover->is_systemd && can_execute(handover->init)) leave_systemd_state(handover);
  long error = execute(handover->init, handover->argv, handover->envp);
  say("could not start ", handover->init, ": ", describe_error(error), ", error ", number_text(-error));
}
