/* The interfaces between the parts of the exit program. */
#pragma once

#include "../stage0.h"

/* --- unmount.c --- */

/* Unmounts what it can, once, the newest mount first. Returns how many mounts are left. */
int unmount_once(void);
/* Makes what is still mounted read-only, and what the kernel refuses by force. Says what stays writable. */
void make_read_only(void);
