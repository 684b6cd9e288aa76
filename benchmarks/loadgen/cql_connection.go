package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// Opcodes and result kinds of the native protocol, version 4.
const (
	frameVersion   = 0x04
	headerBytes    = 9
	opcodeError    = 0x00
	opcodeStartup  = 0x01
	opcodeReady    = 0x02
	opcodeQuery    = 0x07
	opcodeResult   = 0x08
	opcodePrepare  = 0x09
	opcodeExecute  = 0x0A
	kindRows       = 2
	kindPrepared   = 4
	flagWarning    = 0x08
	handshakeLimit = 30 * time.Second
)

type cqlConnection struct {
	net.Conn
	prepared []byte
}

// dialCQL connects and says hello; its deadline is still set.
func dialCQL(address string) (*cqlConnection, error) {
	socket, err := net.DialTimeout("tcp", address, handshakeLimit)
	if err != nil {
		return nil, err
	}
	connection := &cqlConnection{Conn: socket}
	if err := connection.SetDeadline(time.Now().Add(handshakeLimit)); err != nil {
		return nil, err
	}
	startup := appendString([]byte{0, 1}, "CQL_VERSION")
	startup = appendString(startup, "3.0.0")
	if _, err := connection.ask(opcodeStartup, startup, opcodeReady); err != nil {
		return nil, err
	}
	return connection, nil
}

// openCQL connects, uses the keyspace and prepares the one statement of this run.
func openCQL(address, keyspace, cql string) (*cqlConnection, error) {
	connection, err := dialCQL(address)
	if err != nil {
		return nil, err
	}
	use := append(appendLongString(nil, `USE "`+keyspace+`"`), 0, 1, 0)
	if _, err := connection.ask(opcodeQuery, use, opcodeResult); err != nil {
		return nil, err
	}
	body, err := connection.ask(opcodePrepare, appendLongString(nil, cql), opcodeResult)
	if err != nil {
		return nil, err
	}
	if kind := binary.BigEndian.Uint32(body); kind != kindPrepared {
		return nil, fmt.Errorf("PREPARE answered kind %d", kind)
	}
	length := binary.BigEndian.Uint16(body[4:])
	connection.prepared = append([]byte{}, body[6:6+length]...)
	return connection, connection.SetDeadline(time.Time{})
}

// ask sends one frame on stream 0 and waits for its answer: for the handshake only.
func (connection *cqlConnection) ask(opcode byte, body []byte, wanted byte) ([]byte, error) {
	frame := appendHeader(nil, opcode, 0, len(body))
	if _, err := connection.Write(append(frame, body...)); err != nil {
		return nil, err
	}
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(connection, header); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint32(header[5:]))
	if _, err := io.ReadFull(connection, answer); err != nil {
		return nil, err
	}
	answer = withoutWarnings(header[1], answer)
	if header[4] == opcodeError {
		return nil, fmt.Errorf("Cassandra refused: %s", errorText(answer))
	}
	if header[4] != wanted {
		return nil, fmt.Errorf("opcode %d instead of %d", header[4], wanted)
	}
	return answer, nil
}

// withoutWarnings drops the list of warnings that an answer may begin with.
func withoutWarnings(flags byte, body []byte) []byte {
	if flags&flagWarning == 0 {
		return body
	}
	count := int(binary.BigEndian.Uint16(body))
	body = body[2:]
	for ; count > 0; count-- {
		body = body[2+int(binary.BigEndian.Uint16(body)):]
	}
	return body
}

func errorText(body []byte) string {
	if len(body) < 6 {
		return "an error without text"
	}
	length := int(binary.BigEndian.Uint16(body[4:]))
	if len(body) < 6+length {
		return "an error cut short"
	}
	return fmt.Sprintf("0x%04x %s", binary.BigEndian.Uint32(body), body[6:6+length])
}

func appendHeader(frame []byte, opcode byte, stream, length int) []byte {
	frame = append(frame, frameVersion, 0, byte(stream>>8), byte(stream), opcode)
	return binary.BigEndian.AppendUint32(frame, uint32(length))
}

func appendString(body []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(body, uint16(len(text))), text...)
}

func appendLongString(body []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(body, uint32(len(text))), text...)
}

func appendBytes(body, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(body, uint32(len(value))), value...)
}

// appendExecute adds an EXECUTE frame whose values are already encoded as [bytes] each.
func (connection *cqlConnection) appendExecute(
	out []byte, stream int, consistency uint16, count int, values []byte,
) []byte {
	length := 2 + len(connection.prepared) + 2 + 1 + 2 + len(values)
	out = appendHeader(out, opcodeExecute, stream, length)
	out = binary.BigEndian.AppendUint16(out, uint16(len(connection.prepared)))
	out = append(out, connection.prepared...)
	out = binary.BigEndian.AppendUint16(out, consistency)
	out = append(out, 0x03) // values, and no metadata in the answer
	out = binary.BigEndian.AppendUint16(out, uint16(count))
	return append(out, values...)
}
