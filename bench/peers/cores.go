// SPDX-License-Identifier: MIT

// Go on two cores: what bench/message.c and bench/proc.c measure.  With the
// argument locked each goroutine has a thread of its own, as tasks of two procs
// have; else Go chooses, and often puts the two on one.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"time"
)

const (
	messages = 2000000
	room     = 128
	most     = 16
	naps     = 300
	calls    = 200000
)

var locked = len(os.Args) > 1 && os.Args[1] == "locked"

func each(start time.Time, n int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

func report(name string, value float64, unit string) {
	fmt.Printf("%s %.6g %s\n", name, value, unit)
}

func thread() {
	if locked {
		runtime.LockOSThread()
	}
}

func message(name string, senders int) {
	c := make(chan uint64, room)
	for i := 0; i < senders; i++ {
		go func() {
			thread()
			for k := 0; k < messages/senders; k++ {
				c <- uint64(k)
			}
		}()
	}
	start := time.Now()
	for i := 0; i < messages; i++ {
		<-c
	}
	report(name, each(start, messages), "ns")
}

// Slices are what a Go program sends when it has many.
func batches() {
	c := make(chan []uint64, room/most)
	go func() {
		thread()
		for k := 0; k < messages/most; k++ {
			c <- make([]uint64, most)
		}
	}()
	start := time.Now()
	for i := 0; i < messages/most; i++ {
		<-c
	}
	report("message-16", each(start, messages), "ns")
}

// From before the send until after the receive, the receiver being asleep.
func asleep() {
	c := make(chan time.Time)
	go func() {
		thread()
		for i := 0; i < naps; i++ {
			time.Sleep(time.Millisecond)
			c <- time.Now()
		}
	}()
	var took []float64
	for i := 0; i < naps; i++ {
		sent := <-c
		took = append(took, float64(time.Since(sent).Nanoseconds()))
	}
	sort.Float64s(took)
	report("message-asleep", took[naps/2]/1000, "us")
}

func call() {
	ask, answer := make(chan int), make(chan int)
	go func() {
		thread()
		for n := range ask {
			answer <- n
		}
	}()
	start := time.Now()
	for i := 0; i < calls; i++ {
		ask <- i
		<-answer
	}
	report("proccall", each(start, calls), "ns")
}

func main() {
	runtime.GOMAXPROCS(2)
	thread()
	message("message", 1)
	batches()
	message("message-4to1", 4)
	asleep()
	call()
}
