//go:build unix

package cli

import (
	"fmt"
	"os/exec"
	"time"
)

// browse opens a page in the browser of the signed-in user. An opener that takes longer than a moment is taken for
// one that stays as long as its browser.
func browse(url string) error {
	if err := desktop(); err != nil {
		return err
	}
	cmd := exec.Command(opener, url)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", opener, err)
		}
	case <-time.After(2 * time.Second):
	}
	return nil
}
