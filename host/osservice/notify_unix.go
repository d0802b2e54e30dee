//go:build unix

package osservice

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What systemd tells a service of Type=notify by its environment. Children must not see it: theirs
// would be taken for messages of the host.
const (
	envSocket       = "NOTIFY_SOCKET"
	envWatchdog     = "WATCHDOG_USEC"
	envWatchdogPID  = "WATCHDOG_PID"
	notifyTimeout   = 2 * time.Second
	watchdogPerPing = 2 // as sd_watchdog_enabled(3) advises
)

// notifier sends the messages of sd_notify(3) to systemd. The zero value sends nothing.
type notifier struct {
	socket string
	// watchdog is how often systemd wants to hear that we are alive; 0: not at all.
	watchdog time.Duration
}

// takeNotifier reads the notifier from the environment, and removes it there.
func takeNotifier() notifier {
	n := notifier{socket: os.Getenv(envSocket)}
	if us, err := strconv.ParseInt(os.Getenv(envWatchdog), 10, 64); err == nil && us > 0 && forThisProcess(os.Getenv(envWatchdogPID)) {
		n.watchdog = time.Duration(us) * time.Microsecond / watchdogPerPing
	}
	for _, name := range []string{envSocket, envWatchdog, envWatchdogPID} {
		_ = os.Unsetenv(name) // fails for no name of these
	}
	if n.socket == "" {
		n.watchdog = 0
	}
	return n
}

func forThisProcess(pid string) bool { return pid == "" || pid == strconv.Itoa(os.Getpid()) }

// send tells systemd something. A message that can't be sent is dropped: there is nobody to tell.
func (n notifier) send(lines ...string) {
	if n.socket == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"}) // "@" is an abstract one here, too
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(notifyTimeout)) // of an open socket, never an error
	_, _ = c.Write([]byte(strings.Join(lines, "\n")))     // lost, as above
}

// oneLine keeps a text from saying more than it should: each line is a message of its own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// monotonic is the clock by which systemd orders reloads, in microseconds.
func monotonic() string {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return "0"
	}
	return strconv.FormatInt(t.Nano()/1000, 10)
}
