package main

import (
	"encoding/binary"
	"fmt"
	"time"
)

// window keeps a fixed number of requests in flight on one connection. Whatever one read of the
// socket brings is answered by one write, so the system calls are few.
type window struct {
	connection *cqlConnection
	inFlight   int
	next       func(out []byte, stream int) ([]byte, bool) // false: nothing more to send
	until      time.Time                                   // zero: until next has no more

	latencies []uint32 // microseconds
	errors    int
	firstErr  string
	empty     int // answers without a row
	bytes     int64
}

func (w *window) run() error {
	sent := make([]time.Time, w.inFlight)
	out := make([]byte, 0, 1<<16)
	waiting := 0
	start := time.Now()
	for stream := 0; stream < w.inFlight; stream++ {
		grown, more := w.next(out, stream)
		if !more {
			break
		}
		out, sent[stream] = grown, start
		waiting++
	}
	buffer := make([]byte, 1<<18)
	filled := 0
	for waiting > 0 {
		if len(out) > 0 {
			if _, err := w.connection.Write(out); err != nil {
				return err
			}
			out = out[:0]
		}
		if filled == len(buffer) {
			buffer = append(buffer, make([]byte, len(buffer))...)
		}
		read, err := w.connection.Read(buffer[filled:])
		if err != nil {
			return err
		}
		filled += read
		now := time.Now()
		used := 0
		for filled-used >= headerBytes {
			frame := buffer[used:filled]
			length := headerBytes + int(binary.BigEndian.Uint32(frame[5:]))
			if len(frame) < length {
				break
			}
			used += length
			stream := int(binary.BigEndian.Uint16(frame[2:]))
			if stream >= w.inFlight {
				return fmt.Errorf("an answer on stream %d, which was never used", stream)
			}
			body := withoutWarnings(frame[1], frame[headerBytes:length])
			w.account(frame[4], body, now.Sub(sent[stream]))
			waiting--
			if !w.until.IsZero() && now.After(w.until) {
				continue
			}
			if grown, more := w.next(out, stream); more {
				out, sent[stream] = grown, now
				waiting++
			}
		}
		copy(buffer, buffer[used:filled])
		filled -= used
	}
	return nil
}

func (w *window) account(opcode byte, body []byte, took time.Duration) {
	w.latencies = append(w.latencies, uint32(took.Microseconds()))
	if opcode != opcodeResult {
		w.errors++
		if w.firstErr == "" {
			w.firstErr = errorText(body)
		}
		return
	}
	w.bytes += int64(len(body))
	if binary.BigEndian.Uint32(body) != kindRows {
		return
	}
	// Without metadata the answer is: kind, flags, column count, row count, values.
	if binary.BigEndian.Uint32(body[12:]) == 0 {
		w.empty++
	}
}
