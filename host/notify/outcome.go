package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"servicehost/host/human"
)

// outcome is what became of one try to send.
type outcome struct {
	err error
	// final says that another try would end the same.
	final bool
	// wait is what the receiver asks for before the next try; 0: nothing.
	wait time.Duration
}

func refused(format string, args ...any) outcome {
	return outcome{err: fmt.Errorf(format, args...), final: true}
}

// sender speaks to one receiver. It is used by one goroutine at a time.
type sender interface {
	// send makes one try to hand over the alerts as one message. Its error never holds a secret.
	send(ctx context.Context, as []Alert) outcome
	// most is how many alerts one message may hold.
	most() int
	// where says, without a secret, whom it speaks to.
	where() string
}

// timedOut makes a sentence of the end of a try's time.
func timedOut(ctx context.Context, err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no answer within %s", human.Duration(timeout))
	}
	return err
}
