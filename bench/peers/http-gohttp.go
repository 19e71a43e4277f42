// SPDX-License-Identifier: MIT

// The HTTP server of Go's net/http, on one core: what bench/httpserve is here.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
)

func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Server", "bench")
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "Hello, world\n")
}

func main() {
	runtime.GOMAXPROCS(1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	http.HandleFunc("/", hello)
	fmt.Fprintln(os.Stderr, http.Serve(l, nil))
	os.Exit(1)
}
