// Serves GET /products/{id} from Cassandra with fastify and cassandra-driver.
// Settings come from the environment, see benchmarks/peers.py.
"use strict";

const cluster = require("node:cluster");
const cassandra = require("cassandra-driver");
const fastify = require("fastify");

const SELECT_PRODUCT = "SELECT product FROM products_by_id WHERE product_id = ?";
const READ = { prepare: true, consistency: cassandra.types.consistencies.localOne };

async function serve() {
  const client = new cassandra.Client({
    contactPoints: [process.env.BENCH_CONTACT_POINT],
    localDataCenter: "datacenter1",
    keyspace: process.env.BENCH_KEYSPACE,
    encoding: { useBigIntAsLong: true },
  });
  await client.connect();
  const app = fastify({ logger: false });
  app.get("/products/:id", async (request, reply) => {
    const id = request.params.id;
    if (!/^[0-9]{1,15}$/.test(id)) {
      return reply.code(404).send("Error: invalid product id provided");
    }
    const found = await client.execute(SELECT_PRODUCT, [BigInt(id)], READ);
    if (found.rowLength === 0) {
      return reply.code(404).send("Error: invalid product id provided");
    }
    return reply.header("content-type", "application/json; charset=utf-8").send(found.rows[0].product);
  });
  await app.listen({ host: process.env.BENCH_HOST, port: Number(process.env.BENCH_PORT) });
}

const workers = Number(process.env.BENCH_WORKERS ?? "1");
if (cluster.isPrimary && workers > 1) {
  for (let index = 0; index < workers; index += 1) {
    cluster.fork();
  }
  process.on("SIGTERM", () => process.exit(0));
} else {
  serve().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
