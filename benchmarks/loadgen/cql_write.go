package main

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
)

// idMark in a template is replaced with the row's id.
var idMark = []byte("@@ID@@")

type template map[string]string

func readTemplates(path string) ([]template, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var templates []template
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		one := template{}
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, err
		}
		templates = append(templates, one)
	}
	if len(templates) == 0 {
		return nil, fmt.Errorf("%s: no template in it", path)
	}
	return templates, lines.Err()
}

// appendValue encodes one bound value: `id`, `etag:<field>` or a field of the template.
func appendValue(values []byte, bind string, id int64, row template) []byte {
	if bind == "id" {
		values = binary.BigEndian.AppendUint32(values, 8)
		return binary.BigEndian.AppendUint64(values, uint64(id))
	}
	field, isETag := strings.CutPrefix(bind, "etag:")
	body := bytes.ReplaceAll([]byte(row[field]), idMark, strconv.AppendInt(nil, id, 10))
	if isETag {
		sum := md5.Sum(body)
		body = []byte(hex.EncodeToString(sum[:8]))
	}
	return appendBytes(values, body)
}

func runCQLWrite(arguments []string) (any, error) {
	flags := flag.NewFlagSet("cql-write", flag.ExitOnError)
	address := flags.String("address", "127.0.0.1:9042", "host:port of the node")
	keyspace := flags.String("keyspace", "catalog", "keyspace")
	cql := flags.String("cql", "", "INSERT statement")
	bind := flags.String("bind", "id", "comma list: id, etag:<field>, or a template's field")
	templatesPath := flags.String("templates", "", "file of JSON objects of strings, one a line")
	ids := flags.Int64("ids", 200000, "write ids from 1 to this")
	inFlight := flags.Int("in-flight", 64, "requests in flight, all connections together")
	connections := flags.Int("connections", 2, "connections")
	_ = flags.Parse(arguments)
	runtime.GOMAXPROCS(1)

	templates, err := readTemplates(*templatesPath)
	if err != nil {
		return nil, err
	}
	if *inFlight < *connections {
		*inFlight = *connections
	}
	binds := strings.Split(*bind, ",")
	var last atomic.Int64
	windows := make([]*window, *connections)
	for index := range windows {
		connection, err := openCQL(*address, *keyspace, *cql)
		if err != nil {
			return nil, err
		}
		defer connection.Close()
		var values []byte
		windows[index] = &window{
			connection: connection, inFlight: *inFlight / *connections,
			next: func(out []byte, stream int) ([]byte, bool) {
				id := last.Add(1)
				if id > *ids {
					return out, false
				}
				row := templates[id%int64(len(templates))]
				values = values[:0]
				for _, one := range binds {
					values = appendValue(values, one, id, row)
				}
				return connection.appendExecute(out, stream, consistencyOne, len(binds), values), true
			},
		}
	}
	return runWindows(windows)
}
