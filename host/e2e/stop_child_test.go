package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// roleStopChild is a program that ends in one way only: WAY TAG FILE [WHAT]. It is in FILE as the others are.
const roleStopChild = "e2e-stop-child"

func stopChild(args []string) int {
	way, tag, file := args[0], args[1], args[2]
	what := ""
	if len(args) > 3 {
		what = args[3]
	}
	deaf := make(chan os.Signal, 1)
	signal.Notify(deaf, os.Interrupt, syscall.SIGTERM) // taken, and not looked at
	up := func() {
		if err := register(file, tag); err != nil {
			fmt.Println(err)
			os.Exit(9)
		}
		fmt.Println(tag, "is up")
	}
	switch way {
	case "stdin":
		up()
		bufio.NewReader(os.Stdin).ReadByte()
	case "file": // WHAT comes into being
		up()
		for {
			if _, err := os.Stat(what); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	case "http": // a POST to /quit at its PORT; /no is refused, /slow never answered, and /bye hung up on
		return serveQuit(up)
	case "mute": // nothing ends it, and its children neither
		if what != "" {
			c := exec.Command(os.Args[0], roleStopChild, "mute", tag+"-"+what, file)
			if what == "detached" {
				detach(c)
			}
			if err := c.Start(); err != nil {
				fmt.Println(err)
				return 9
			}
		}
		up()
		select {}
	case "touch": // not a service: what a stop step runs
		f, err := os.Create(file)
		if err != nil {
			fmt.Println(err)
			return 9
		}
		f.Close()
	case "fail":
		fmt.Println("no way to stop it")
		return 3
	case "hang":
		select {}
	default:
		return stopChildHere(way, up)
	}
	fmt.Println(tag, "ends")
	return 0
}

func serveQuit(up func()) int {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Println(err)
		return 9
	}
	quit := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /quit", func(http.ResponseWriter, *http.Request) { close(quit) })
	mux.HandleFunc("POST /no", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	mux.HandleFunc("POST /slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("POST /bye", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	go func() { _ = http.Serve(l, mux) }()
	up()
	<-quit
	return 0
}
