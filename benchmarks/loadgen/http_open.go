package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Outcomes below 100 are failures without a status line.
const (
	outcomeConnect = 1 // no connection
	outcomeTimeout = 2 // no whole answer within the time limit
	outcomeBroken  = 3 // the connection ended or spoke no HTTP
	outcomeCancel  = 4 // this program closed the connection on purpose
	outcomeFull    = 5 // the generator itself had no connection left
)

const (
	recordBytes     = 12
	tick            = time.Millisecond
	idleConnections = 30 * time.Second // shorter than any server's keep-alive
)

// record is one request: when it was due, how long after that it ended, how, and where it went.
type record struct {
	dueMicroseconds     uint32
	latencyMicroseconds uint32
	outcome             uint16
	target              uint16
}

type httpConnection struct {
	net.Conn
	reader *bufio.Reader
	used   time.Time
}

type openLoop struct {
	targets     []string
	ids         int64
	limit       time.Duration
	cancelShare float64
	maximum     int64

	start   time.Time
	open    atomic.Int64
	mutex   sync.Mutex
	idle    [][]*httpConnection
	records []record
}

type httpResult struct {
	StartUnixMicroseconds int64              `json:"start_unix_microseconds"`
	Requests              int                `json:"requests"`
	Seconds               float64            `json:"seconds"`
	Outcomes              map[string]int     `json:"outcomes"`
	Milliseconds          map[string]float64 `json:"milliseconds"`
}

func runHTTPOpen(arguments []string) (any, error) {
	flags := flag.NewFlagSet("http-open", flag.ExitOnError)
	targets := flags.String("targets", "127.0.0.1:8080", "comma list of host:port, in turn")
	ids := flags.Int64("ids", 200000, "random ids from 1 to this")
	rate := flags.Float64("rate", 1000, "requests a second")
	seconds := flags.Float64("seconds", 10, "how long")
	limit := flags.Duration("limit", 10*time.Second, "time limit of a request")
	cancelShare := flags.Float64("cancel-share", 0, "share of requests hung up on at random")
	maximum := flags.Int64("connections", 4096, "most connections at once")
	recordsPath := flags.String("records", "", "file for one 12-byte record a request")
	_ = flags.Parse(arguments)
	runtime.GOMAXPROCS(1)

	loop := &openLoop{
		targets: strings.Split(*targets, ","), ids: *ids, limit: *limit,
		cancelShare: *cancelShare, maximum: *maximum,
	}
	loop.idle = make([][]*httpConnection, len(loop.targets))
	loop.drive(*rate, time.Duration(*seconds*float64(time.Second)))
	if *recordsPath != "" {
		if err := writeRecords(*recordsPath, loop.records); err != nil {
			return nil, err
		}
	}
	return loop.result(), nil
}

// drive starts each request when it is due, whether or not earlier ones have ended. SIGTERM ends
// it early; what was started is waited for and written all the same.
func (loop *openLoop) drive(rate float64, length time.Duration) {
	total := int(rate * length.Seconds())
	loop.records = make([]record, 0, total)
	loop.start = time.Now()
	var group sync.WaitGroup
	finished, stop := context.WithCancel(context.Background())
	defer stop()
	go loop.dropIdle(finished)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	for sent := 0; sent < total && len(asked) == 0; {
		// The first request is due at once: so many are due as have begun an interval.
		due := int(time.Since(loop.start).Seconds()*rate) + 1
		for ; sent < total && sent < due; sent++ {
			intended := time.Duration(float64(sent) / rate * float64(time.Second))
			group.Add(1)
			go func(intended time.Duration, target int) {
				defer group.Done()
				loop.request(intended, target)
			}(intended, sent%len(loop.targets))
		}
		time.Sleep(tick)
	}
	group.Wait()
}

func (loop *openLoop) request(intended time.Duration, target int) {
	outcome := loop.exchange(intended, target)
	latency := time.Since(loop.start) - intended
	loop.mutex.Lock()
	loop.records = append(loop.records, record{
		uint32(intended.Microseconds()), uint32(latency.Microseconds()), outcome, uint16(target),
	})
	loop.mutex.Unlock()
}

func (loop *openLoop) exchange(intended time.Duration, target int) uint16 {
	deadline := loop.start.Add(intended + loop.limit)
	connection, outcome := loop.take(target, deadline)
	if connection == nil {
		return outcome
	}
	if err := connection.SetDeadline(deadline); err != nil {
		loop.discard(connection)
		return outcomeBroken
	}
	id := rand.Int63n(loop.ids) + 1
	text := fmt.Sprintf("GET /products/%d HTTP/1.1\r\nHost: catalog\r\n\r\n", id)
	if _, err := connection.Write([]byte(text)); err != nil {
		loop.discard(connection)
		return failure(err)
	}
	if loop.cancelShare > 0 && rand.Float64() < loop.cancelShare {
		time.Sleep(time.Duration(rand.Int63n(int64(3 * time.Millisecond))))
		loop.discard(connection)
		return outcomeCancel
	}
	status, keep, err := readAnswer(connection.reader)
	if err != nil {
		loop.discard(connection)
		return failure(err)
	}
	if !keep {
		loop.discard(connection)
		return status
	}
	connection.used = time.Now()
	loop.mutex.Lock()
	loop.idle[target] = append(loop.idle[target], connection)
	loop.mutex.Unlock()
	return status
}

// take returns the connection used last, so that those no longer needed grow old and are dropped.
func (loop *openLoop) take(target int, deadline time.Time) (*httpConnection, uint16) {
	loop.mutex.Lock()
	idle := loop.idle[target]
	if count := len(idle); count > 0 {
		loop.idle[target] = idle[:count-1]
		loop.mutex.Unlock()
		return idle[count-1], 0
	}
	loop.mutex.Unlock()
	if loop.open.Add(1) > loop.maximum {
		loop.open.Add(-1)
		return nil, outcomeFull
	}
	dialer := net.Dialer{Deadline: deadline}
	socket, err := dialer.Dial("tcp", loop.targets[target])
	if err != nil {
		loop.open.Add(-1)
		return nil, outcomeConnect
	}
	return &httpConnection{Conn: socket, reader: bufio.NewReaderSize(socket, 4096)}, 0
}

func (loop *openLoop) discard(connection *httpConnection) {
	loop.open.Add(-1)
	_ = connection.Close()
}

func (loop *openLoop) dropIdle(finished context.Context) {
	for finished.Err() == nil {
		time.Sleep(time.Second)
		oldest := time.Now().Add(-idleConnections)
		loop.mutex.Lock()
		for target, idle := range loop.idle {
			kept := idle[:0]
			for _, connection := range idle {
				if connection.used.Before(oldest) {
					loop.discard(connection)
					continue
				}
				kept = append(kept, connection)
			}
			loop.idle[target] = kept
		}
		loop.mutex.Unlock()
	}
}

func failure(err error) uint16 {
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return outcomeTimeout
	}
	return outcomeBroken
}

func (loop *openLoop) result() httpResult {
	latencies := make([]uint32, 0, len(loop.records))
	outcomes := map[string]int{}
	for _, one := range loop.records {
		outcomes[fmt.Sprint(one.outcome)]++
		latencies = append(latencies, one.latencyMicroseconds)
	}
	return httpResult{
		StartUnixMicroseconds: loop.start.UnixMicro(),
		Requests:              len(loop.records),
		Seconds:               time.Since(loop.start).Seconds(),
		Outcomes:              outcomes,
		Milliseconds:          percentiles(latencies),
	}
}

func writeRecords(path string, records []record) error {
	content := make([]byte, 0, recordBytes*len(records))
	for _, one := range records {
		content = binary.LittleEndian.AppendUint32(content, one.dueMicroseconds)
		content = binary.LittleEndian.AppendUint32(content, one.latencyMicroseconds)
		content = binary.LittleEndian.AppendUint16(content, one.outcome)
		content = binary.LittleEndian.AppendUint16(content, one.target)
	}
	return os.WriteFile(path, content, 0o644)
}
