package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"runtime/debug"
)

// build names the program: version and revision.
func build() string {
	text := Version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
				text += " " + s.Value
			}
		}
	}
	return text
}

// digest is that of the settings that all nodes of an installation share: without
// places, addresses, faces and secrets.
func (c Config) digest() string {
	for _, own := range []*string{&c.Data, &c.StaffAddr, &c.PublicAddr, &c.OpsAddr, &c.TLSCertificate, &c.TLSKey, &c.ClientCA, &c.Config} {
		*own = ""
	}
	for _, secret := range []*Secret{&c.DatabaseURL, &c.MigrateURL, &c.DatabaseURLPublic, &c.DatabaseURLSigner, &c.DatabaseURLJobs} {
		*secret = ""
	}
	c.Faces, c.LogLevel = nil, 0
	text, err := json.Marshal(c)
	if err != nil {
		return "unknown: " + err.Error()
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
