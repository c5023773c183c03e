;; What Go's runtime asks of WASI, answered inside of the component: it then imports nothing but the contract, and the
;; collector can run whenever it has to. There are no arguments, no environment and no files; what is printed is dropped;
;; the clock ticks a microsecond each time somebody looks; random numbers are the same in every instance.
(module
  (import "env" "memory" (memory 0))
  (global $now (mut i64) (i64.const 0))
  (global $random (mut i32) (i32.const 0x2545f491))

  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $time i32) (result i32)
    (global.set $now (i64.add (global.get $now) (i64.const 1000)))
    (i64.store (local.get $time) (global.get $now))
    (i32.const 0))

  (func (export "random_get") (param $place i32) (param $length i32) (result i32)
    (block $done
      (loop $more
        (br_if $done (i32.eqz (local.get $length)))
        (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 13))))
        (global.set $random (i32.xor (global.get $random) (i32.shr_u (global.get $random) (i32.const 17))))
        (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 5))))
        (i32.store8 (local.get $place) (global.get $random))
        (local.set $place (i32.add (local.get $place) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $more)))
    (i32.const 0))

  (func $none (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $size) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $none))
  (export "environ_sizes_get" (func $none))

  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  ;; All of it counts as written.
  (func (export "fd_write") (param $fd i32) (param $parts i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $more
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $parts))))
        (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $more)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; What was waited for has come: the first subscription, whatever it is.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (i64.store (local.get $out) (i64.load (local.get $in)))
    (i64.store offset=8 (local.get $out) (i64.const 0))
    (i32.store (local.get $events) (i32.const 1))
    (i32.const 0))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "proc_exit") (param i32) (unreachable))

  ;; No such file (EBADF).
  (func $no1 (param i32) (result i32) (i32.const 8))
  (export "fd_close" (func $no1))
  (func $no2 (param i32 i32) (result i32) (i32.const 8))
  (export "fd_fdstat_get" (func $no2))
  (export "fd_fdstat_set_flags" (func $no2))
  (export "fd_filestat_get" (func $no2))
  (export "fd_prestat_get" (func $no2))
  (func $no3 (param i32 i32 i32) (result i32) (i32.const 8))
  (export "fd_prestat_dir_name" (func $no3))
  (func $no4 (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "fd_read" (func $no4))
)
