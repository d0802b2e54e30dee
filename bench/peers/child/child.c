/*
 * What every supervisor here is given to run. It is in C and linked statically, for a program in Go takes
 * longer to reach main than most supervisors take to start it. child_linux.go has the same in Go.
 *
 *   child rest NOTES NAME WORD          notes that it runs, and rests
 *   child tree NOTES NAME same|own      the same with a child of its own that ignores SIGTERM; own: in a session of its own
 *   child pour NOTES NAME LINES GATE    waits until the FIFO GATE is opened for writing, writes LINES lines, rests
 *
 * A note is one line, KIND NAME PID NANOSECONDS WORD, appended to NOTES by one write.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { line_size = 200, lines_at_once = 20 };

static const char *notes, *name;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(const char *kind, long long at, const char *word)
{
    char text[256];
    int size = snprintf(text, sizeof text, "%s %s %d %lld %s\n", kind, name, (int)getpid(), at, word);
    int file = open(notes, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || size >= (int)sizeof text || write(file, text, size) != size)
        _exit(9);
    close(file);
}

static void rest(void)
{
    for (;;)
        pause();
}

static void put(const char *from, size_t size)
{
    while (size > 0) {
        ssize_t n = write(1, from, size);
        if (n < 0)
            _exit(8);
        from += n;
        size -= n;
    }
}

/* Lines are numbered, so that whoever reads the log knows which are missing. */
static void pour(long long lines)
{
    static char batch[line_size * lines_at_once];
    size_t filled = 0;
    memset(batch, 'x', sizeof batch);
    for (long long i = 0; i < lines; i++) {
        char *line = batch + filled, head[64];
        int size = snprintf(head, sizeof head, "%012lld %s ", i, name);
        memcpy(line, head, size);
        line[line_size - 1] = '\n';
        filled += line_size;
        if (filled == sizeof batch) {
            put(batch, filled);
            filled = 0;
        }
    }
    put(batch, filled);
}

int main(int argc, char **argv)
{
    long long at = now();
    if (argc < 5)
        return 2;
    notes = argv[2];
    name = argv[3];
    note("run", at, argv[4]);
    if (strcmp(argv[1], "tree") == 0 && fork() == 0) {
        signal(SIGTERM, SIG_IGN);
        if (strcmp(argv[4], "own") == 0)
            setsid();
        note("leaf", now(), argv[4]);
    } else if (strcmp(argv[1], "pour") == 0 && argc > 5) {
        if (open(argv[5], O_RDONLY) < 0)
            return 7;
        note("open", now(), "-");
        pour(atoll(argv[4]));
        note("done", now(), "-");
    }
    rest();
}
