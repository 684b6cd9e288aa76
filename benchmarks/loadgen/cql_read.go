package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"math/rand"
	"runtime"
	"sync"
	"time"
)

// consistencyLocalOne and consistencyOne: see the native protocol, section 3.
const (
	consistencyOne      = 0x01
	consistencyLocalOne = 0x0A
)

type cqlResult struct {
	Requests     int                `json:"requests"`
	Seconds      float64            `json:"seconds"`
	PerSecond    float64            `json:"per_second"`
	Errors       int                `json:"errors"`
	FirstError   string             `json:"first_error,omitempty"`
	Empty        int                `json:"empty"`
	Bytes        int64              `json:"bytes"`
	Milliseconds map[string]float64 `json:"milliseconds"`
}

// runWindows runs all windows at once and adds up what they saw.
func runWindows(windows []*window) (cqlResult, error) {
	start := time.Now()
	failures := make([]error, len(windows))
	var group sync.WaitGroup
	for index, one := range windows {
		group.Add(1)
		go func(index int, one *window) {
			defer group.Done()
			failures[index] = one.run()
		}(index, one)
	}
	group.Wait()
	result := cqlResult{Seconds: time.Since(start).Seconds()}
	var latencies []uint32
	for _, one := range windows {
		latencies = append(latencies, one.latencies...)
		result.Errors += one.errors
		result.Empty += one.empty
		result.Bytes += one.bytes
		if result.FirstError == "" {
			result.FirstError = one.firstErr
		}
	}
	result.Requests = len(latencies)
	result.PerSecond = float64(result.Requests) / result.Seconds
	result.Milliseconds = percentiles(latencies)
	return result, errors.Join(failures...)
}

func runCQLRead(arguments []string) (any, error) {
	flags := flag.NewFlagSet("cql-read", flag.ExitOnError)
	address := flags.String("address", "127.0.0.1:9042", "host:port of the node")
	keyspace := flags.String("keyspace", "catalog", "keyspace")
	cql := flags.String("cql", "SELECT product FROM products_by_id WHERE product_id = ?",
		"statement with one bigint")
	ids := flags.Int64("ids", 200000, "random ids from 1 to this")
	inFlight := flags.Int("in-flight", 64, "requests in flight, all connections together")
	connections := flags.Int("connections", 2, "connections")
	seconds := flags.Float64("seconds", 10, "how long")
	_ = flags.Parse(arguments)
	runtime.GOMAXPROCS(1)

	until := time.Now().Add(time.Duration(*seconds * float64(time.Second)))
	windows := make([]*window, *connections)
	for index := range windows {
		connection, err := openCQL(*address, *keyspace, *cql)
		if err != nil {
			return nil, err
		}
		defer connection.Close()
		share := *inFlight / *connections
		if index < *inFlight%*connections {
			share++
		}
		random := rand.New(rand.NewSource(time.Now().UnixNano() + int64(index)))
		key := make([]byte, 12)
		binary.BigEndian.PutUint32(key, 8)
		windows[index] = &window{
			connection: connection, inFlight: share, until: until,
			next: func(out []byte, stream int) ([]byte, bool) {
				binary.BigEndian.PutUint64(key[4:], uint64(random.Int63n(*ids)+1))
				return connection.appendExecute(out, stream, consistencyLocalOne, 1, key), true
			},
		}
	}
	return runWindows(windows)
}
