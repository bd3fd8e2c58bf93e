package issuance

import (
	"fmt"
	"testing"

	"akashi/certificate/qr"
)

func TestDrawn(t *testing.T) {
	var d drawn
	m, err := qr.EncodeText("one", qr.M, 40)
	if err != nil {
		t.Fatal(err)
	}
	d.put("one", m)
	if d.take("two") != nil || d.take("one") != m || d.take("one") != nil {
		t.Error("ok/once: not given exactly once")
	}
	for i := range 3 * maxDrawn {
		d.put(fmt.Sprint(i), m)
	}
	if len(d.symbols) > maxDrawn {
		t.Errorf("error/bound: %d symbols", len(d.symbols))
	}
}
