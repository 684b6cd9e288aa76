package main

import (
	"flag"
	"fmt"
	"time"
)

// schemaLimit is generous: a schema change on a busy machine may take tens of seconds.
const schemaLimit = 120 * time.Second

// runCQLStatements runs its arguments, one statement each, in order: for keyspaces and tables.
func runCQLStatements(arguments []string) (any, error) {
	flags := flag.NewFlagSet("cql-run", flag.ExitOnError)
	address := flags.String("address", "127.0.0.1:9042", "host:port of the node")
	_ = flags.Parse(arguments)
	connection, err := dialCQL(*address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	for _, cql := range flags.Args() {
		if err := connection.SetDeadline(time.Now().Add(schemaLimit)); err != nil {
			return nil, err
		}
		query := append(appendLongString(nil, cql), 0, consistencyLocalOne, 0)
		if _, err := connection.ask(opcodeQuery, query, opcodeResult); err != nil {
			return nil, fmt.Errorf("%s: %w", cql, err)
		}
	}
	return map[string]int{"statements": flags.NArg()}, nil
}
