package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

// tenants are a few offices that the goroutines change between.
func (f *fixture) tenants(t *testing.T, n int) (codes []string) {
	t.Helper()
	for i := 90_002; len(codes) < n; i++ {
		for check := range 10 {
			code := fmt.Sprintf("%05d%d", i, check)
			if office.CheckCode(code) != nil {
				continue
			}
			o, err := office.New(code, "架空県隣市", "Tonari City")
			if err != nil {
				t.Fatal(err)
			}
			if err := f.act(t, code, func(ctx context.Context) error { return f.AddOffice(ctx, o) }); err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
	}
	return codes
}

// S-025: 1,000 goroutines over a pool of 4 connections change between offices:
// writes, reads in acts and looks; nobody meets a foreign row. On PostgreSQL the
// query names no office at all, so that only row-level security keeps it.
func TestManyTenants(t *testing.T) {
	few := databases()
	for i, d := range few {
		few[i].config = func(t *testing.T) Config {
			c := d.config(t)
			c.Connections = 4
			return c
		}
	}
	on(t, few, func(t *testing.T, f *fixture) {
		codes := f.tenants(t, 8)
		var mu sync.Mutex
		var foreign, own int
		check := func(db *gorm.DB, code string) error {
			var offices []string
			q := db.Table("log").Limit(50)
			if !f.postgres {
				q = q.Where("office = ?", code)
			}
			err := q.Pluck("office", &offices).Error
			mu.Lock()
			defer mu.Unlock()
			for _, o := range offices {
				if o == code {
					own++
				} else {
					foreign++
				}
			}
			return err
		}
		var group sync.WaitGroup
		for i := range 1000 {
			code := codes[i%len(codes)]
			group.Go(func() {
				err := f.log.Act(context.Background(), who(code), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error {
					if _, err := f.NewPersonKey(ctx, code); err != nil {
						return err
					}
					db, err := act(ctx, code)
					if err != nil {
						return err
					}
					return check(db, code)
				})
				if err == nil {
					err = f.look(context.Background(), code, func(db *gorm.DB) error { return check(db, code) })
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		total := int64(0)
		for _, code := range codes {
			total += f.rows(t, code, "person_keys")
		}
		if foreign != 0 || own < 1000 || total != 1000 {
			t.Errorf("%d foreign rows, %d own, %d written", foreign, own, total)
		}
		if f.postgres {
			var bare int64
			if err := f.read.Table("log").Count(&bare).Error; err != nil || bare != 0 {
				t.Errorf("without a tenant: %d rows, %v", bare, err)
			}
		}
	})
}

// withoutOffice are the methods that touch no office's row; reviewed.
var withoutOffice = []string{
	"CheckRole", "Close", "Join", "Nodes", "Offices", "Ping", "Register", "ServerTime", "SigningKey", "SigningKeys",
	"AlertCounts", "UndeliveredAlerts", "Watched", // alerts of all offices, for whoever watches
	"FollowRing", "NextRing", // the file key
	"List", "ListVersions", "PublishLists", // what strangers get
	"CheckpointBefore", "Checkpoints", "Covered", "Pruned", "IssuanceCheckpoint", "IssuanceLogSince", "IssuedDigests", "IssuedOfLate", "KeepCheckpoint", "LastCheckpoint", "Lead", "Leaves", "Place", "Rows", "Size", "Tiles", "Unplaced", // hashes of all offices
}

// S-026: every other method of the store refuses an empty office, outside an act
// and inside one of another office. The methods are enumerated, so that a new one
// is covered.
func TestEmptyOffice(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		methods := 0
		refuses := func(name string, method reflect.Value) {
			methods++
			t.Run("error/"+name, func(t *testing.T) {
				for _, within := range []string{"", here} {
					call := func(ctx context.Context) {
						in := []reflect.Value{reflect.ValueOf(ctx)}
						for i := 1; i < method.Type().NumIn(); i++ {
							in = append(in, empty(t, method.Type().In(i)))
						}
						out := method.Call(in)
						if err, ok := out[len(out)-1].Interface().(error); !ok || err == nil {
							t.Errorf("within %q: no error", within)
						}
					}
					if within == "" {
						call(t.Context())
						continue
					}
					_ = f.act(t, within, func(ctx context.Context) error { call(ctx); return nil })
				}
			})
		}
		s := reflect.ValueOf(f.Store)
		for i := range s.NumMethod() {
			if name := s.Type().Method(i).Name; !slices.Contains(withoutOffice, name) {
				refuses(name, s.Method(i))
			}
		}
		register := reflect.ValueOf(f.Register(""))
		for i := range register.NumMethod() {
			refuses("Register."+register.Type().Method(i).Name, register.Method(i))
		}
		if methods < 30 {
			t.Errorf("only %d methods", methods)
		}
	})
}

// empty is a value whose office, wherever it stands, is empty.
func empty(t *testing.T, of reflect.Type) reflect.Value {
	switch {
	case of == reflect.TypeFor[vaccination.SearchKey]():
		return reflect.ValueOf(vaccination.SearchKey{Kind: vaccination.ExactName})
	case of == reflect.TypeFor[clock.Date]():
		return reflect.ValueOf(clock.Date("1970-01-01"))
	case of.Kind() == reflect.Pointer:
		return reflect.New(of.Elem())
	case of.Kind() == reflect.Func:
		return reflect.MakeFunc(of, func([]reflect.Value) (out []reflect.Value) {
			t.Error("a function was called for no office")
			for i := range of.NumOut() {
				out = append(out, reflect.Zero(of.Out(i)))
			}
			return out
		})
	}
	return reflect.Zero(of)
}

// The log names the office that an act was done for, whatever its function read.
func TestActsAreLoggedWhereTheyWereDone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		err := f.act(t, here, func(ctx context.Context) error {
			_, err := f.Application(ctx, there, "0")
			return err
		})
		if err == nil || !strings.Contains(err.Error(), ErrOtherOffice.Error()) {
			t.Errorf("error/another office: %v", err)
		}
		entries, err := f.LogEntries(t.Context(), here, "")
		if err != nil || len(entries) == 0 {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		for _, e := range entries {
			var r struct{ Office string }
			if err := json.Unmarshal(e, &r); err != nil || r.Office != here {
				t.Errorf("an entry of %q: %v", r.Office, err)
			}
		}
	})
}

// An act within an act is refused: on SQLite it would wait for the one writer, and
// so for itself.
func TestNestedAct(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		err := f.act(t, here, func(ctx context.Context) error { return f.PublishLists(ctx, nil) })
		if !errors.Is(err, ErrNested) {
			t.Errorf("got %v", err)
		}
	})
}
