package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Meter measures processor time in su: one su is one P-256 signature of
// crypto/ecdsa, made in the same run, so that a slow hour of the machine slows
// both. Garbage collection counts.
type Meter struct {
	sign  time.Duration
	start time.Duration
}

// heapGrowth is that of the program (cmd/akashi).
const heapGrowth = 400

// NewMeter starts measuring.
func NewMeter(b *testing.B) Meter {
	b.Helper()
	before := debug.SetGCPercent(heapGrowth)
	b.Cleanup(func() { debug.SetGCPercent(before) })
	sign := signature(b)
	return Meter{sign, ProcessTime(b)}
}

// Report ends the measurement: the metric su is processor time per operation,
// that of other processes (a database) added; theirs alone is others-su.
func (m Meter) Report(b *testing.B, operations int, others time.Duration) {
	b.Helper()
	spent := ProcessTime(b) - m.start + others
	unit := float64(m.sign+signature(b)) / 2
	b.ReportMetric(float64(spent)/float64(operations)/unit, "su")
	if others > 0 {
		b.ReportMetric(float64(others)/float64(operations)/unit, "others-su")
	}
}

// InSignUnits runs op as a benchmark that reports su. Op runs once before, to
// fill what is made once per process.
func InSignUnits(b *testing.B, op func()) {
	b.Helper()
	op()
	b.ReportAllocs()
	m := NewMeter(b)
	for b.Loop() {
		op()
	}
	m.Report(b, b.N, 0)
}

// ProcessTime is the processor time of this process so far.
func ProcessTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// signature is the processor time of one signature: the median of several batches.
func signature(b *testing.B) time.Duration {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	const batch = 200
	digest := make([]byte, 32)
	var times []time.Duration
	for range 7 {
		start := ProcessTime(b)
		for range batch {
			if _, err := ecdsa.SignASN1(rand.Reader, key, digest); err != nil {
				b.Fatal(err)
			}
		}
		times = append(times, (ProcessTime(b)-start)/batch)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// PostgresTime is the processor time of the PostgreSQL cluster so far: of the
// server, the sessions it has and those it had.
func PostgresTime(b *testing.B) time.Duration {
	b.Helper()
	server, err := cluster()
	if err != nil {
		b.Fatal(err)
	}
	pid, err := os.ReadFile(filepath.Join(server.dir, "data", "postmaster.pid"))
	if err != nil {
		b.Fatal(err)
	}
	parent, _, _ := strings.Cut(string(pid), "\n")
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	ticks := 0
	for _, name := range processes {
		stat, err := os.ReadFile(name) // one that has ended is in its parent's sum
		at := strings.LastIndexByte(string(stat), ')')
		if err != nil || at < 0 {
			continue
		}
		// Fields of proc(5) from the third on: state, parent; 14 and 15 are user and
		// system time, 16 and 17 those of ended children.
		fields := strings.Fields(string(stat[at+1:]))
		own, ended := fields[11:13], fields[13:15]
		switch parent {
		case filepath.Base(filepath.Dir(name)):
			ticks += sum(own) + sum(ended)
		case fields[1]:
			ticks += sum(own)
		}
	}
	const perSecond = 100 // USER_HZ
	return time.Duration(ticks) * time.Second / perSecond
}

func sum(numbers []string) (total int) {
	for _, s := range numbers {
		n, _ := strconv.Atoi(s)
		total += n
	}
	return total
}
