/*
 * stage0's parsers on the host, with the sanitizers: reads records from stdin, answers each on stdout with a line.
 * A record is a kind, 'p' or 'h', and a text behind its length (decimal, then a newline).
 * p: two command lines with a NUL between them → "action seconds".
 * h: a handover message → "refused: why", or its fields in hex with commas between.
 */
#include "../../build/stage0/stage0.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer_policy(char *text, size_t size)
{
  char *second = memchr(text, 0, size), *texts[] = {text, second ? second + 1 : text + size, 0};
  struct policy policy = read_policy(texts);
  printf("%d %ld\n", (int)policy.action, policy.seconds);
}

static void print_field(const char *text)
{
  for (; *text; text++) printf("%02x", (unsigned char)*text);
  putchar(',');
}

static void answer_handover(char *text, size_t size)
{
  static char *words[HANDOVER_WORDS];
  struct handover handover;
  const char *fault = parse_handover(text, size, words, &handover);
  if (fault) {
    printf("refused: %s\n", fault);
    return;
  }
  print_field(handover.mode);
  print_field(handover.root);
  print_field(handover.put_old);
  print_field(handover.init);
  print_field(handover.is_systemd ? "1" : "");
  for (char **argument = handover.argv; *argument; argument++) print_field(*argument);
  putchar(';');
  for (char **variable = handover.envp; *variable; variable++) print_field(*variable);
  putchar('\n');
}

int main(void)
{
  char kind;
  size_t size;
  while (scanf(" %c%zu", &kind, &size) == 2) {
    getchar();
    /* As large as it must be and no larger, so that the sanitizer sees the first byte too many. */
    char *text = malloc(size + 1);
    if (!text || fread(text, 1, size, stdin) != size) return 1;
    text[size] = 0;
    if (kind == 'p') answer_policy(text, size);
    else answer_handover(text, size);
    free(text);
  }
  return 0;
}
