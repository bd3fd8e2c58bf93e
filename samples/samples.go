// Package samples embeds the sample files: an invented office and invented people.
package samples

import "embed"

//go:embed *.csv
var Files embed.FS
