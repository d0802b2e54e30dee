// Command demo is the program that the services of the quickstart run; it is not part of host.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo web|worker|crasher|migrate")
		os.Exit(2)
	}
	// Ctrl-C on Windows and in a terminal, SIGTERM elsewhere: how host asks a child to end.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, mode string) int {
	switch mode {
	case "web":
		return web(ctx)
	case "worker":
		return worker(ctx)
	case "crasher":
		return crasher(ctx)
	case "migrate":
		return migrate(ctx)
	}
	fmt.Fprintf(os.Stderr, "unknown mode %q\n", mode)
	return 2
}

func web(ctx context.Context) int {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", os.Getenv("PORT")))
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot listen:", err)
		return 1
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	greeting := os.Getenv("GREETING")
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Printf("%s %s\n", r.Method, r.URL.Path)
			fmt.Fprintf(w, "%s from process %d\n", greeting, os.Getpid())
		}),
	}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, "cannot serve:", err)
		return 1
	}
	fmt.Println("asked to stop, bye")
	return 0
}

func worker(ctx context.Context) int {
	name := os.Getenv("HOST_SERVICE") + "." + os.Getenv("HOST_INSTANCE")
	for n := 1; ; n++ {
		fmt.Printf("%s did job %d\n", name, n)
		if !wait(ctx, 2*time.Second) {
			fmt.Println("asked to stop, bye")
			return 0
		}
	}
}

func crasher(ctx context.Context) int {
	fmt.Println("all is well")
	if !wait(ctx, 4*time.Second) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "cannot open the database: this crash is on purpose")
	return 3
}

func migrate(ctx context.Context) int {
	for n := 1; n <= 3; n++ {
		fmt.Printf("migration %d of 3\n", n)
		if !wait(ctx, 300*time.Millisecond) {
			return 1
		}
	}
	return 0
}

// wait reports whether d went by before the program was asked to stop.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
