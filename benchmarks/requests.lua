-- wrk: one kind of request with random ids, keep-alive; prints one JSON object at the end.
-- Called as: wrk … -s requests.lua URL -- METHOD PATH IDS SEED [BODY]
-- %d in PATH and BODY stands for a random id from 1 to IDS, or for a random line of the file that IDS
-- names as @FILE; one that is there several times differs.

local method, path, body, ids = "GET", "/", nil, 1
local listed = nil

function init(arguments)
   method, path = arguments[1], arguments[2]
   local file = arguments[3]:match("^@(.*)$")
   if file then
      listed = {}
      for line in io.lines(file) do
         listed[#listed + 1] = line
      end
      ids = #listed
   else
      ids = tonumber(arguments[3])
   end
   math.randomseed(tonumber(arguments[4]))
   body = arguments[5]
end

local function filled(text)
   return (text:gsub("%%d", function()
      local number = math.random(1, ids)
      return listed and listed[number] or tostring(number)
   end))
end

function request()
   local head = method .. " " .. filled(path) .. " HTTP/1.1\r\nHost: catalog\r\n"
   if body == nil then
      return head .. "\r\n"
   end
   local sent = filled(body)
   return head .. "Content-Type: application/json\r\nContent-Length: " .. #sent .. "\r\n\r\n" .. sent
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
