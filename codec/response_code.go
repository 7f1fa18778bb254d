// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"slices"
	"strconv"
)

// ResponseCode is the outcome a broker or name server reports. Values and names
// are those of the Java classes RemotingSysResponseCode and ResponseCode as of
// 5.5.1. Up to 5.3.2 Java also used 209, 210 and 211 for failed ACL 1.0 updates;
// here they carry their present names.
type ResponseCode int32

// All known response codes, named after their Java constants.
const (
	ResponseRPCTimeOut                           ResponseCode = -1006
	ResponseRPCSendToChannelFailed               ResponseCode = -1004
	ResponseRPCAddrIsNull                        ResponseCode = -1002
	ResponseRPCUnknown                           ResponseCode = -1000
	ResponseSuccess                              ResponseCode = 0
	ResponseSystemError                          ResponseCode = 1
	ResponseSystemBusy                           ResponseCode = 2
	ResponseRequestCodeNotSupported              ResponseCode = 3
	ResponseTransactionFailed                    ResponseCode = 4
	ResponseFlushDiskTimeout                     ResponseCode = 10
	ResponseSlaveNotAvailable                    ResponseCode = 11
	ResponseFlushSlaveTimeout                    ResponseCode = 12
	ResponseMessageIllegal                       ResponseCode = 13
	ResponseServiceNotAvailable                  ResponseCode = 14
	ResponseVersionNotSupported                  ResponseCode = 15
	ResponseNoPermission                         ResponseCode = 16
	ResponseTopicNotExist                        ResponseCode = 17
	ResponseTopicExistAlready                    ResponseCode = 18
	ResponsePullNotFound                         ResponseCode = 19
	ResponsePullRetryImmediately                 ResponseCode = 20
	ResponsePullOffsetMoved                      ResponseCode = 21
	ResponseQueryNotFound                        ResponseCode = 22
	ResponseSubscriptionParseFailed              ResponseCode = 23
	ResponseSubscriptionNotExist                 ResponseCode = 24
	ResponseSubscriptionNotLatest                ResponseCode = 25
	ResponseSubscriptionGroupNotExist            ResponseCode = 26
	ResponseFilterDataNotExist                   ResponseCode = 27
	ResponseFilterDataNotLatest                  ResponseCode = 28
	ResponseInvalidParameter                     ResponseCode = 29
	ResponseTransactionShouldCommit              ResponseCode = 200
	ResponseTransactionShouldRollback            ResponseCode = 201
	ResponseTransactionStateUnknow               ResponseCode = 202
	ResponseTransactionStateGroupWrong           ResponseCode = 203
	ResponseNoBuyerID                            ResponseCode = 204
	ResponseNotInCurrentUnit                     ResponseCode = 205
	ResponseConsumerNotOnline                    ResponseCode = 206
	ResponseConsumeMsgTimeout                    ResponseCode = 207
	ResponseNoMessage                            ResponseCode = 208
	ResponsePollingFull                          ResponseCode = 209
	ResponsePollingTimeout                       ResponseCode = 210
	ResponseBrokerNotExist                       ResponseCode = 211
	ResponseBrokerDispatchNotComplete            ResponseCode = 212
	ResponseBroadcastConsumption                 ResponseCode = 213
	ResponseFlowControl                          ResponseCode = 215
	ResponseNotLeaderForQueue                    ResponseCode = 501
	ResponseIllegalOperation                     ResponseCode = 604
	ResponseGoAway                               ResponseCode = 1500
	ResponseControllerFencedMasterEpoch          ResponseCode = 2000
	ResponseControllerFencedSyncStateSetEpoch    ResponseCode = 2001
	ResponseControllerInvalidMaster              ResponseCode = 2002
	ResponseControllerInvalidReplicas            ResponseCode = 2003
	ResponseControllerMasterNotAvailable         ResponseCode = 2004
	ResponseControllerInvalidRequest             ResponseCode = 2005
	ResponseControllerBrokerNotAlive             ResponseCode = 2006
	ResponseControllerNotLeader                  ResponseCode = 2007
	ResponseControllerBrokerMetadataNotExist     ResponseCode = 2008
	ResponseControllerInvalidCleanBrokerMetadata ResponseCode = 2009
	ResponseControllerBrokerNeedToBeRegistered   ResponseCode = 2010
	ResponseControllerMasterStillExist           ResponseCode = 2011
	ResponseControllerElectMasterFailed          ResponseCode = 2012
	ResponseControllerAlterSyncStateSetFailed    ResponseCode = 2013
	ResponseControllerBrokerIDInvalid            ResponseCode = 2014
	ResponseControllerJRaftInternalError         ResponseCode = 2015
	ResponseControllerBrokerLiveInfoNotExists    ResponseCode = 2016
	ResponseLMQQuotaExceeded                     ResponseCode = 2017
	ResponseLiteSubscriptionQuotaExceeded        ResponseCode = 2018
	ResponseUserNotExist                         ResponseCode = 3001
	ResponsePolicyNotExist                       ResponseCode = 3002
)

// responseCodeNames holds Java's own constant names.
var responseCodeNames = map[ResponseCode]string{
	ResponseRPCTimeOut:                           "RPC_TIME_OUT",
	ResponseRPCSendToChannelFailed:               "RPC_SEND_TO_CHANNEL_FAILED",
	ResponseRPCAddrIsNull:                        "RPC_ADDR_IS_NULL",
	ResponseRPCUnknown:                           "RPC_UNKNOWN",
	ResponseSuccess:                              "SUCCESS",
	ResponseSystemError:                          "SYSTEM_ERROR",
	ResponseSystemBusy:                           "SYSTEM_BUSY",
	ResponseRequestCodeNotSupported:              "REQUEST_CODE_NOT_SUPPORTED",
	ResponseTransactionFailed:                    "TRANSACTION_FAILED",
	ResponseFlushDiskTimeout:                     "FLUSH_DISK_TIMEOUT",
	ResponseSlaveNotAvailable:                    "SLAVE_NOT_AVAILABLE",
	ResponseFlushSlaveTimeout:                    "FLUSH_SLAVE_TIMEOUT",
	ResponseMessageIllegal:                       "MESSAGE_ILLEGAL",
	ResponseServiceNotAvailable:                  "SERVICE_NOT_AVAILABLE",
	ResponseVersionNotSupported:                  "VERSION_NOT_SUPPORTED",
	ResponseNoPermission:                         "NO_PERMISSION",
	ResponseTopicNotExist:                        "TOPIC_NOT_EXIST",
	ResponseTopicExistAlready:                    "TOPIC_EXIST_ALREADY",
	ResponsePullNotFound:                         "PULL_NOT_FOUND",
	ResponsePullRetryImmediately:                 "PULL_RETRY_IMMEDIATELY",
	ResponsePullOffsetMoved:                      "PULL_OFFSET_MOVED",
	ResponseQueryNotFound:                        "QUERY_NOT_FOUND",
	ResponseSubscriptionParseFailed:              "SUBSCRIPTION_PARSE_FAILED",
	ResponseSubscriptionNotExist:                 "SUBSCRIPTION_NOT_EXIST",
	ResponseSubscriptionNotLatest:                "SUBSCRIPTION_NOT_LATEST",
	ResponseSubscriptionGroupNotExist:            "SUBSCRIPTION_GROUP_NOT_EXIST",
	ResponseFilterDataNotExist:                   "FILTER_DATA_NOT_EXIST",
	ResponseFilterDataNotLatest:                  "FILTER_DATA_NOT_LATEST",
	ResponseInvalidParameter:                     "INVALID_PARAMETER",
	ResponseTransactionShouldCommit:              "TRANSACTION_SHOULD_COMMIT",
	ResponseTransactionShouldRollback:            "TRANSACTION_SHOULD_ROLLBACK",
	ResponseTransactionStateUnknow:               "TRANSACTION_STATE_UNKNOW",
	ResponseTransactionStateGroupWrong:           "TRANSACTION_STATE_GROUP_WRONG",
	ResponseNoBuyerID:                            "NO_BUYER_ID",
	ResponseNotInCurrentUnit:                     "NOT_IN_CURRENT_UNIT",
	ResponseConsumerNotOnline:                    "CONSUMER_NOT_ONLINE",
	ResponseConsumeMsgTimeout:                    "CONSUME_MSG_TIMEOUT",
	ResponseNoMessage:                            "NO_MESSAGE",
	ResponsePollingFull:                          "POLLING_FULL",
	ResponsePollingTimeout:                       "POLLING_TIMEOUT",
	ResponseBrokerNotExist:                       "BROKER_NOT_EXIST",
	ResponseBrokerDispatchNotComplete:            "BROKER_DISPATCH_NOT_COMPLETE",
	ResponseBroadcastConsumption:                 "BROADCAST_CONSUMPTION",
	ResponseFlowControl:                          "FLOW_CONTROL",
	ResponseNotLeaderForQueue:                    "NOT_LEADER_FOR_QUEUE",
	ResponseIllegalOperation:                     "ILLEGAL_OPERATION",
	ResponseGoAway:                               "GO_AWAY",
	ResponseControllerFencedMasterEpoch:          "CONTROLLER_FENCED_MASTER_EPOCH",
	ResponseControllerFencedSyncStateSetEpoch:    "CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH",
	ResponseControllerInvalidMaster:              "CONTROLLER_INVALID_MASTER",
	ResponseControllerInvalidReplicas:            "CONTROLLER_INVALID_REPLICAS",
	ResponseControllerMasterNotAvailable:         "CONTROLLER_MASTER_NOT_AVAILABLE",
	ResponseControllerInvalidRequest:             "CONTROLLER_INVALID_REQUEST",
	ResponseControllerBrokerNotAlive:             "CONTROLLER_BROKER_NOT_ALIVE",
	ResponseControllerNotLeader:                  "CONTROLLER_NOT_LEADER",
	ResponseControllerBrokerMetadataNotExist:     "CONTROLLER_BROKER_METADATA_NOT_EXIST",
	ResponseControllerInvalidCleanBrokerMetadata: "CONTROLLER_INVALID_CLEAN_BROKER_METADATA",
	ResponseControllerBrokerNeedToBeRegistered:   "CONTROLLER_BROKER_NEED_TO_BE_REGISTERED",
	ResponseControllerMasterStillExist:           "CONTROLLER_MASTER_STILL_EXIST",
	ResponseControllerElectMasterFailed:          "CONTROLLER_ELECT_MASTER_FAILED",
	ResponseControllerAlterSyncStateSetFailed:    "CONTROLLER_ALTER_SYNC_STATE_SET_FAILED",
	ResponseControllerBrokerIDInvalid:            "CONTROLLER_BROKER_ID_INVALID",
	ResponseControllerJRaftInternalError:         "CONTROLLER_JRAFT_INTERNAL_ERROR",
	ResponseControllerBrokerLiveInfoNotExists:    "CONTROLLER_BROKER_LIVE_INFO_NOT_EXISTS",
	ResponseLMQQuotaExceeded:                     "LMQ_QUOTA_EXCEEDED",
	ResponseLiteSubscriptionQuotaExceeded:        "LITE_SUBSCRIPTION_QUOTA_EXCEEDED",
	ResponseUserNotExist:                         "USER_NOT_EXIST",
	ResponsePolicyNotExist:                       "POLICY_NOT_EXIST",
}

// String returns the Java constant name, for instance "TOPIC_NOT_EXIST", or
// "UNKNOWN_RESPONSE_CODE_<n>". Only the latter allocates.
func (c ResponseCode) String() string {
	if s, ok := responseCodeNames[c]; ok {
		return s
	}
	return "UNKNOWN_RESPONSE_CODE_" + strconv.Itoa(int(c))
}

// Known reports whether c has a name here.
func (c ResponseCode) Known() bool {
	_, ok := responseCodeNames[c]
	return ok
}

// ResponseCodes gives a new slice with all known response codes in ascending order.
func ResponseCodes() []ResponseCode {
	codes := make([]ResponseCode, 0, len(responseCodeNames))
	for c := range responseCodeNames {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes
}
