// SPDX-License-Identifier: Apache-2.0

package codec

// Reply is what an answer without fields says: its code, and for an error why.
type Reply struct {
	Code   ResponseCode
	Remark string
}
