package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

var errNotHTTP = errors.New("the answer is no HTTP/1.1 with a Content-Length")

// readAnswer reads one whole answer and returns its status and whether the connection stays open.
// Chunked bodies are refused: the catalog and its peers always send a length.
func readAnswer(reader *bufio.Reader) (status uint16, keep bool, err error) {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return 0, false, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, false, errNotHTTP
	}
	number, err := strconv.ParseUint(string(line[9:12]), 10, 16)
	if err != nil {
		return 0, false, errNotHTTP
	}
	length, keep := -1, true
	for {
		line, err = reader.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			return 0, false, errNotHTTP
		}
		value = bytes.TrimSpace(value)
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, errNotHTTP
			}
		}
		if bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")) {
			keep = false
		}
	}
	if length < 0 {
		return 0, false, errNotHTTP
	}
	_, err = io.CopyN(io.Discard, reader, int64(length))
	return uint16(number), keep, err
}
