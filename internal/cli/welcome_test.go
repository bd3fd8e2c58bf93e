package cli

import (
	"bytes"
	"strings"
	"testing"
)

// The lines that a first start prints reach the staff face over TLS, too.
func TestWelcome(t *testing.T) {
	links := []SetupLink{{User: "900001-officer1", Link: "one"}, {User: "900001-officer2", Link: "two"}, {User: "900001-operator1", Link: "three"}}
	for name, c := range map[string]struct {
		Config
		options, curl string
	}{
		"loopback":  {Config{StaffOrigin: "http://localhost:8080"}, "", ""},
		"TLS":       {Config{StaffOrigin: "https://localhost:8080", TLSCertificate: "x"}, " --ca ca.pem", "--cacert ca.pem"},
		"terminals": {Config{StaffOrigin: "https://localhost:8080", TLSCertificate: "x", ClientCA: "y"}, " --ca ca.pem --certificate terminal.pem --key terminal.key", "--cacert ca.pem --cert terminal.pem --key terminal.key"},
	} {
		var out bytes.Buffer
		welcome(&out, &App{Config: c.Config}, links, map[string]string{"staff": c.StaffOrigin})
		text := out.String()
		if n := strings.Count(text, " sign-in --url "+c.StaffOrigin+c.options+" --"); n != 4 {
			t.Errorf("%s: %d of 4 sign-ins\n%s", name, n, text)
		}
		if !strings.Contains(text, c.StaffOrigin+"/setup#three") {
			t.Errorf("%s: no link of the operator\n%s", name, text)
		}
		if says := strings.Contains(text, "command curl"); says != (c.curl != "") || !strings.Contains(text, c.curl) {
			t.Errorf("%s: curl\n%s", name, text)
		}
	}
}
