// SPDX-License-Identifier: Apache-2.0

// Package frame is what the load generator and the stub share of the protocol: templates made from recorded
// frames that are stamped with an opaque, and a splitter that reads code and opaque of the frames in a stream.
// Neither allocates per frame. Headers of the usual shape are read without a JSON parser; package codec does
// the others.
package frame
