package main

import "sort"

// percentiles returns latencies in milliseconds; it sorts its argument, which is in microseconds.
func percentiles(microseconds []uint32) map[string]float64 {
	found := map[string]float64{}
	if len(microseconds) == 0 {
		return found
	}
	sort.Slice(microseconds, func(i, j int) bool { return microseconds[i] < microseconds[j] })
	for name, share := range map[string]float64{"p50": 0.50, "p99": 0.99, "p99.9": 0.999} {
		index := int(share * float64(len(microseconds)))
		if index >= len(microseconds) {
			index = len(microseconds) - 1
		}
		found[name] = float64(microseconds[index]) / 1000
	}
	found["max"] = float64(microseconds[len(microseconds)-1]) / 1000
	return found
}
