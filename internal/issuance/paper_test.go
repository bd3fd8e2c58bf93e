package issuance_test

import (
	"context"
	"slices"
	"testing"

	"akashi/certificate"
	"akashi/internal/testkit/world"
)

// a certificate keeps its place on the collection lists of a day, though one before it
// has ended since.
func TestCollectionParts(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx := t.Context()
		var ids []string
		for range 3 {
			i, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.Domestic))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, i.Certificate.ID)
		}
		part := func(skip, limit int) (list []string) {
			w.Act(t, w.Clerk.Office, func(ctx context.Context) (err error) {
				list, err = w.Store.IssuedOn(ctx, w.Clerk.Office, w.Clock.Today(), skip, limit)
				return err
			})
			return list
		}
		if got := slices.Concat(part(0, 2), part(2, 2), part(4, 2)); !slices.Equal(got, ids) {
			t.Errorf("ok/in order: %v, want %v", got, ids)
		}
		if _, err := w.Issuance.Revoke(ctx, w.Officer, ids[0], "fraud"); err != nil {
			t.Fatal(err)
		}
		if first, second := part(0, 2), part(2, 2); !slices.Equal(first, ids[1:2]) || !slices.Equal(second, ids[2:]) {
			t.Errorf("ok/one has ended: %v %v, want %v", first, second, ids[1:])
		}
	})
}
