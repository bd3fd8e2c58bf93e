package testkit

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Meter measures processor time in su: one su is one P-256 signature of
// crypto/ecdsa. Signatures are made and timed all through the run, so that a slow
// second of the machine slows both. Garbage collection counts.
type Meter struct {
	start  time.Duration
	cancel context.CancelFunc
	signed <-chan signed
}

// signed is how many signatures were made, and the processor time they took.
type signed struct {
	count int
	spent time.Duration
	err   error
}

// heapGrowth is that of the program (cmd/akashi).
const heapGrowth = 400

// NewMeter starts measuring.
func NewMeter(b *testing.B) Meter {
	b.Helper()
	before := debug.SetGCPercent(heapGrowth)
	b.Cleanup(func() { debug.SetGCPercent(before) })
	ctx, cancel := context.WithCancel(b.Context())
	made := make(chan signed, 1)
	start := ProcessTime(b)
	go func() { made <- sign(ctx) }()
	return Meter{start, cancel, made}
}

// Report ends the measurement: the metric su is processor time per operation,
// that of other processes (a database) added; theirs alone is others-su.
func (m Meter) Report(b *testing.B, operations int, others time.Duration) {
	b.Helper()
	m.cancel()
	made := <-m.signed
	if made.err != nil {
		b.Fatal(made.err)
	}
	spent := ProcessTime(b) - m.start - made.spent + others
	unit := float64(made.spent) / float64(made.count) * float64(operations)
	b.ReportMetric(float64(spent)/unit, "su")
	if others > 0 {
		b.ReportMetric(float64(others)/unit, "others-su")
	}
}

// InSignUnits runs op as a benchmark that reports su. Op runs once before, to
// fill what is made once per process.
func InSignUnits(b *testing.B, op func()) {
	b.Helper()
	op()
	m := NewMeter(b)
	for b.Loop() {
		op()
	}
	m.Report(b, b.N, 0)
}

// ProcessTime is the processor time of this process so far.
func ProcessTime(b *testing.B) time.Duration {
	b.Helper()
	t, err := clock(unix.CLOCK_PROCESS_CPUTIME_ID)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// clock reads a clock to the nanosecond, which getrusage does not do for a thread.
func clock(id int32) (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(id, &t)
	return time.Duration(t.Nano()), err
}

// sign makes a few signatures at a time until ctx ends, and some hundred at least.
func sign(ctx context.Context) (s signed) {
	const batch, least, pause = 20, 200, 50 * time.Millisecond
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return signed{err: err}
	}
	digest := make([]byte, 32)
	for ctx.Err() == nil || s.count < least {
		start, err := clock(unix.CLOCK_THREAD_CPUTIME_ID)
		for range batch {
			if _, failed := ecdsa.SignASN1(rand.Reader, key, digest); failed != nil {
				err = failed
			}
		}
		end, failed := clock(unix.CLOCK_THREAD_CPUTIME_ID)
		if s.err = errors.Join(err, failed); s.err != nil {
			return s
		}
		s.count, s.spent = s.count+batch, s.spent+end-start
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return s
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
