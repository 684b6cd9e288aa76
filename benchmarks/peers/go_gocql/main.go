// Command go_gocql serves GET /products/{id} from Cassandra with net/http and gocql: the peer that
// the catalog's app server is measured against. Settings come from the environment, see peers.py.
package main

import (
	"errors"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

const selectProduct = "SELECT product FROM products_by_id WHERE product_id = ?"

func main() {
	cluster := gocql.NewCluster(os.Getenv("BENCH_CONTACT_POINT"))
	cluster.Keyspace = os.Getenv("BENCH_KEYSPACE")
	cluster.Consistency = gocql.LocalOne
	cluster.NumConns = number("BENCH_CONNECTIONS", 2)
	cluster.ProtoVersion = number("BENCH_PROTOCOL", 4)
	cluster.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())
	cluster.WriteCoalesceWaitTime = time.Duration(number("BENCH_COALESCE_MICROSECONDS", 200)) *
		time.Microsecond
	session, err := cluster.CreateSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	mux := http.NewServeMux()
	mux.HandleFunc("GET /products/{id}", func(answer http.ResponseWriter, request *http.Request) {
		id, err := strconv.ParseInt(request.PathValue("id"), 10, 64)
		if err != nil {
			http.Error(answer, "Error: invalid product id provided", http.StatusNotFound)
			return
		}
		var product []byte
		err = session.Query(selectProduct, id).Idempotent(true).ScanContext(request.Context(), &product)
		if errors.Is(err, gocql.ErrNotFound) {
			http.Error(answer, "Error: invalid product id provided", http.StatusNotFound)
			return
		}
		if err != nil {
			http.Error(answer, "no answer from Cassandra", http.StatusServiceUnavailable)
			return
		}
		answer.Header().Set("Content-Type", "application/json; charset=utf-8")
		answer.Header().Set("Content-Length", strconv.Itoa(len(product)))
		_, _ = answer.Write(product)
	})
	address := os.Getenv("BENCH_HOST") + ":" + os.Getenv("BENCH_PORT")
	log.Fatal(http.ListenAndServe(address, mux))
}

func number(name string, otherwise int) int {
	value, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return otherwise
	}
	return value
}
