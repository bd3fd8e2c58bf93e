// Package release holds what goes with a release: the systemd unit, the image,
// the bill of materials and the reviewed list of licences. Its tests show that
// the unit is tight and that the program needs nothing but itself.
package release
