/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CASES_H
#define CASES_H

/* How many lines /proc/self/maps has, and how many descriptors are open. */
unsigned mappings(void);
unsigned descriptors(void);

/* --- together.c --- */
void replaced_under_threads(void);
void forked_among_threads(void);
void cut_short_and_overwritten(void);

/* --- alone.c --- */
void few_look_ups_keep_nothing(void);
void loaded_a_thousand_times(void);
void chrooted(void);
void descriptors_closed_and_reused(void);
void no_descriptor_left(void);
void no_memory_left(void);
void sandboxed_with_a_copy(void);
void sandboxed_from_the_start(void);
void in_a_user_namespace(void);

extern const char *module_path;

#endif
