-- wrk: GET /products/<random id>, keep-alive; prints one JSON object at the end.
-- Called as: wrk … -s random_ids.lua URL -- IDS SEED

local ids = 200000

function init(arguments)
   ids = tonumber(arguments[1]) or ids
   math.randomseed(tonumber(arguments[2]) or os.time())
end

-- Written out rather than by wrk.format, which costs more than the rest of the request.
function request()
   return "GET /products/" .. math.random(1, ids) .. " HTTP/1.1\r\nHost: catalog\r\n\r\n"
end

-- Times are in microseconds.
function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests":%d,"microseconds":%d,"bytes":%d,"status_errors":%d,"connect_errors":%d,' ..
      '"read_errors":%d,"write_errors":%d,"timeouts":%d,' ..
      '"p50":%.1f,"p99":%.1f,"p99_9":%.1f,"max":%.1f}\n',
      summary.requests, summary.duration, summary.bytes, errors.status, errors.connect,
      errors.read, errors.write, errors.timeout,
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
