// SPDX-License-Identifier: MIT

// The HTTP server in Go: a goroutine for each connection, on one core, or as many
// as the argument says.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
)

var answer = []byte("HTTP/1.1 200 OK\r\nServer: bench\r\n" +
	"Content-Type: text/plain\r\nContent-Length: 13\r\n" +
	"Connection: keep-alive\r\n\r\nHello, world\n")

// How many headers end in buf; last keeps the bytes before.
func requests(last *uint32, buf []byte) int {
	found := 0
	l := *last
	for _, b := range buf {
		l = l<<8 | uint32(b)
		if l == 0x0d0a0d0a {
			found++
			l = 0
		}
	}
	*last = l
	return found
}

func serve(c net.Conn) {
	var last uint32
	buf := make([]byte, 1024)
	for {
		n, err := c.Read(buf)
		for i := requests(&last, buf[:n]); i > 0; i-- {
			c.Write(answer)
		}
		if err != nil {
			c.Close()
			return
		}
	}
}

func main() {
	cores := 1
	if len(os.Args) > 1 {
		cores, _ = strconv.Atoi(os.Args[1])
	}
	runtime.GOMAXPROCS(cores)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	for {
		c, err := l.Accept() // it sets TCP_NODELAY
		if err == nil {
			go serve(c)
		}
	}
}
