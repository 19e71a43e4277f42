// SPDX-License-Identifier: MIT

// Go on one core.
package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func each(start time.Time, n int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

func report(name string, value float64, unit string) {
	fmt.Printf("%s %.6g %s\n", name, value, unit)
}

func yield(n int) {
	const yields = 5000000
	begin := make(chan bool)
	for i := 1; i < n; i++ {
		go func() {
			<-begin
			for {
				runtime.Gosched()
			}
		}()
	}
	runtime.Gosched()
	close(begin)
	runtime.Gosched()
	rounds := yields / n
	start := time.Now()
	for i := 0; i < rounds; i++ {
		runtime.Gosched()
	}
	report(fmt.Sprint("yield-", n), each(start, rounds*n), "ns")
}

func spawn(name string, n int) {
	const spawns = 2000000
	start := time.Now()
	for i := 0; i < spawns/n; i++ {
		for k := 0; k < n; k++ {
			go func() {}()
		}
		runtime.Gosched()
	}
	report(name, each(start, spawns), "ns")
}

func channel(name string, buffer, npairs int) {
	n := 3000000 / npairs
	var warm, end sync.WaitGroup
	begin := make(chan bool)
	warm.Add(2 * npairs)
	end.Add(npairs)
	for i := 0; i < npairs; i++ {
		c := make(chan int, buffer)
		go func() {
			c <- 0
			warm.Done()
			<-begin
			for i := 0; i < n; i++ {
				c <- i
			}
		}()
		go func() {
			<-c
			warm.Done()
			<-begin
			for i := 0; i < n; i++ {
				if <-c != i {
					panic("wrong message")
				}
			}
			end.Done()
		}()
	}
	warm.Wait()
	start := time.Now()
	close(begin)
	end.Wait()
	report(name, each(start, n*npairs), "ns")
}

// A select statement where the channels are known, else what reflect offers.
func alt(n int) {
	const messages = 1000000
	c := make([]chan int, n)
	cases := make([]reflect.SelectCase, n)
	for i := range c {
		c[i] = make(chan int)
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv,
			Chan: reflect.ValueOf(c[i])}
		go func(c chan int) {
			for k := 0; ; k++ {
				c <- k
			}
		}(c[i])
	}
	start := time.Now()
	for i := 0; i < messages; i++ {
		if n != 4 {
			reflect.Select(cases)
			continue
		}
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		}
	}
	report(fmt.Sprint("alt-", n), each(start, messages), "ns")
}

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// The scheduler lets some run while others are being made: they wait for the last.
func sleep(n int) {
	var end sync.WaitGroup
	begin := make(chan bool)
	x := uint32(1)
	start := cpu()
	end.Add(n)
	for i := 0; i < n; i++ {
		x = x*1664525 + 1013904223
		go func(ms uint32) {
			<-begin
			time.Sleep(time.Duration(ms) * time.Millisecond)
			end.Done()
		}((x >> 16) % 1000)
	}
	close(begin)
	end.Wait()
	report(fmt.Sprint("sleep-", n), cpu()-start, "s")
}

func resident() float64 {
	b, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return float64(pages*os.Getpagesize()) / 1024
}

func memory(n int) {
	c := make(chan int)
	before := resident()
	for i := 0; i < n; i++ {
		go func() { <-c }()
	}
	runtime.Gosched()
	report(fmt.Sprint("memory-", n), (resident()-before)/float64(n), "KiB")
}

func lateness() {
	worst := time.Duration(0)
	for i := 0; i < 100; i++ {
		go func() {
			for {
				runtime.Gosched()
			}
		}()
	}
	for i := 0; i < 200; i++ {
		start := time.Now()
		time.Sleep(2 * time.Millisecond)
		late := time.Since(start) - 2*time.Millisecond
		if late > worst {
			worst = late
		}
	}
	report("lateness-worst", float64(worst.Nanoseconds())/1e6, "ms")
}

func main() {
	runtime.GOMAXPROCS(1)
	name := strings.Join(os.Args[1:], "-")
	n, _ := strconv.Atoi(os.Args[len(os.Args)-1])
	switch {
	case os.Args[1] == "yield":
		yield(n)
	case name == "spawn":
		spawn(name, 1)
	case os.Args[1] == "spawn":
		spawn(name, n)
	case strings.HasPrefix(name, "chan-0-pairs-"):
		channel(name, 0, n/2)
	case os.Args[1] == "chan":
		channel(name, n, 1)
	case os.Args[1] == "alt":
		alt(n)
	case os.Args[1] == "sleep":
		sleep(n)
	case os.Args[1] == "memory":
		memory(n)
	case os.Args[1] == "lateness":
		lateness()
	}
}
