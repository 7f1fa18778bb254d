// SPDX-License-Identifier: Apache-2.0

package apiv1

import "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/fielderror"

type (
	// FieldError is what is wrong with one field.
	FieldError = fielderror.FieldError
	// Errors is everything wrong with a config.
	Errors = fielderror.Errors
)
