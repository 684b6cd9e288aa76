module catalog/benchmarks/loadgen

go 1.19
