// Command loadgen drives the benchmarks' load with as little CPU as it can, because it shares the
// machine's cores with what it measures. Only the standard library is used.
//
//	loadgen cql-run   statements as they stand, in order
//	loadgen cql-read  closed loop of one prepared read over random ids, straight to Cassandra
//	loadgen cql-write closed loop that writes rows made from templates, ids in order
//	loadgen http-open open loop over app servers: latency counts from the intended start
//
// Each prints one JSON object on standard output; messages for people go to standard error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type command func(arguments []string) (any, error)

var commands = map[string]command{
	"cql-read":  runCQLRead,
	"cql-write": runCQLWrite,
	"cql-run":   runCQLStatements,
	"http-open": runHTTPOpen,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: loadgen cql-run|cql-read|cql-write|http-open [flags]")
		os.Exit(2)
	}
	result, err := commands[os.Args[1]](os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(1)
	}
}
