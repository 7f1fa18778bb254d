// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"slices"
	"strconv"
)

// RequestCode says what a request asks for. Values and names are those of the
// Java class RequestCode; the list is the union of releases 4.2.0 to 5.5.1.
type RequestCode int32

// All known request codes, named after their Java constants.
const (
	RequestSendMessage                          RequestCode = 10
	RequestPullMessage                          RequestCode = 11
	RequestQueryMessage                         RequestCode = 12
	RequestQueryBrokerOffset                    RequestCode = 13
	RequestQueryConsumerOffset                  RequestCode = 14
	RequestUpdateConsumerOffset                 RequestCode = 15
	RequestUpdateAndCreateTopic                 RequestCode = 17
	RequestUpdateAndCreateTopicList             RequestCode = 18
	RequestGetAllTopicConfig                    RequestCode = 21
	RequestGetTopicConfigList                   RequestCode = 22
	RequestGetTopicNameList                     RequestCode = 23
	RequestUpdateBrokerConfig                   RequestCode = 25
	RequestGetBrokerConfig                      RequestCode = 26
	RequestTriggerDeleteFiles                   RequestCode = 27
	RequestGetBrokerRuntimeInfo                 RequestCode = 28
	RequestSearchOffsetByTimestamp              RequestCode = 29
	RequestGetMaxOffset                         RequestCode = 30
	RequestGetMinOffset                         RequestCode = 31
	RequestGetEarliestMsgStoreTime              RequestCode = 32
	RequestViewMessageByID                      RequestCode = 33
	RequestHeartBeat                            RequestCode = 34
	RequestUnregisterClient                     RequestCode = 35
	RequestConsumerSendMsgBack                  RequestCode = 36
	RequestEndTransaction                       RequestCode = 37
	RequestGetConsumerListByGroup               RequestCode = 38
	RequestCheckTransactionState                RequestCode = 39
	RequestNotifyConsumerIDsChanged             RequestCode = 40
	RequestLockBatchMQ                          RequestCode = 41
	RequestUnlockBatchMQ                        RequestCode = 42
	RequestGetAllConsumerOffset                 RequestCode = 43
	RequestGetAllDelayOffset                    RequestCode = 45
	RequestCheckClientConfig                    RequestCode = 46
	RequestGetClientConfig                      RequestCode = 47
	RequestUpdateAndCreateACLConfig             RequestCode = 50 // up to 5.3.2
	RequestDeleteACLConfig                      RequestCode = 51 // up to 5.3.2
	RequestGetBrokerClusterACLInfo              RequestCode = 52 // up to 5.3.2
	RequestUpdateGlobalWhiteAddrsConfig         RequestCode = 53 // up to 5.3.2
	RequestGetBrokerClusterACLConfig            RequestCode = 54 // up to 5.3.2
	RequestGetTimerCheckPoint                   RequestCode = 60
	RequestGetTimerMetrics                      RequestCode = 61
	RequestPutKVConfig                          RequestCode = 100
	RequestGetKVConfig                          RequestCode = 101
	RequestDeleteKVConfig                       RequestCode = 102
	RequestRegisterBroker                       RequestCode = 103
	RequestUnregisterBroker                     RequestCode = 104
	RequestGetRouteInfoByTopic                  RequestCode = 105
	RequestGetBrokerClusterInfo                 RequestCode = 106
	RequestUpdateAndCreateSubscriptionGroup     RequestCode = 200
	RequestGetAllSubscriptionGroupConfig        RequestCode = 201
	RequestGetTopicStatsInfo                    RequestCode = 202
	RequestGetConsumerConnectionList            RequestCode = 203
	RequestGetProducerConnectionList            RequestCode = 204
	RequestWipeWritePermOfBroker                RequestCode = 205
	RequestGetAllTopicListFromNameServer        RequestCode = 206
	RequestDeleteSubscriptionGroup              RequestCode = 207
	RequestGetConsumeStats                      RequestCode = 208
	RequestSuspendConsumer                      RequestCode = 209
	RequestResumeConsumer                       RequestCode = 210
	RequestResetConsumerOffsetInConsumer        RequestCode = 211
	RequestResetConsumerOffsetInBroker          RequestCode = 212
	RequestAdjustConsumerThreadPool             RequestCode = 213
	RequestWhoConsumeTheMessage                 RequestCode = 214
	RequestDeleteTopicInBroker                  RequestCode = 215
	RequestDeleteTopicInNamesrv                 RequestCode = 216
	RequestRegisterTopicInNamesrv               RequestCode = 217
	RequestGetKVListByNamespace                 RequestCode = 219
	RequestResetConsumerClientOffset            RequestCode = 220
	RequestGetConsumerStatusFromClient          RequestCode = 221
	RequestInvokeBrokerToResetOffset            RequestCode = 222
	RequestInvokeBrokerToGetConsumerStatus      RequestCode = 223
	RequestGetTopicsByCluster                   RequestCode = 224
	RequestUpdateAndCreateSubscriptionGroupList RequestCode = 225
	RequestQueryTopicConsumeByWho               RequestCode = 300
	RequestRegisterFilterServer                 RequestCode = 301
	RequestRegisterMessageFilterClass           RequestCode = 302
	RequestQueryConsumeTimeSpan                 RequestCode = 303
	RequestGetSystemTopicListFromNS             RequestCode = 304
	RequestGetSystemTopicListFromBroker         RequestCode = 305
	RequestCleanExpiredConsumeQueue             RequestCode = 306
	RequestGetConsumerRunningInfo               RequestCode = 307
	RequestQueryCorrectionOffset                RequestCode = 308
	RequestConsumeMessageDirectly               RequestCode = 309
	RequestSendMessageV2                        RequestCode = 310
	RequestGetUnitTopicList                     RequestCode = 311
	RequestGetHasUnitSubTopicList               RequestCode = 312
	RequestGetHasUnitSubUnunitTopicList         RequestCode = 313
	RequestCloneGroupOffset                     RequestCode = 314
	RequestViewBrokerStatsData                  RequestCode = 315
	RequestCleanUnusedTopic                     RequestCode = 316
	RequestGetBrokerConsumeStats                RequestCode = 317
	RequestUpdateNamesrvConfig                  RequestCode = 318
	RequestGetNamesrvConfig                     RequestCode = 319
	RequestSendBatchMessage                     RequestCode = 320
	RequestQueryConsumeQueue                    RequestCode = 321
	RequestQueryDataVersion                     RequestCode = 322
	RequestResumeCheckHalfMessage               RequestCode = 323
	RequestSendReplyMessage                     RequestCode = 324
	RequestSendReplyMessageV2                   RequestCode = 325
	RequestPushReplyMessageToClient             RequestCode = 326
	RequestAddWritePermOfBroker                 RequestCode = 327
	RequestGetAllProducerInfo                   RequestCode = 328
	RequestDeleteExpiredCommitLog               RequestCode = 329
	RequestQueryTopicsByConsumer                RequestCode = 343
	RequestQuerySubscriptionByConsumer          RequestCode = 345
	RequestGetTopicConfig                       RequestCode = 351
	RequestGetSubscriptionGroupConfig           RequestCode = 352
	RequestUpdateAndGetGroupForbidden           RequestCode = 353
	RequestCheckRocksDBCQWriteProgress          RequestCode = 354
	RequestExportRocksDBConfigToJSON            RequestCode = 355
	RequestLitePullMessage                      RequestCode = 361
	RequestRecallMessage                        RequestCode = 370
	RequestQueryAssignment                      RequestCode = 400
	RequestSetMessageRequestMode                RequestCode = 401
	RequestGetAllMessageRequestMode             RequestCode = 402
	RequestUpdateAndCreateStaticTopic           RequestCode = 513
	RequestGetBrokerMemberGroup                 RequestCode = 901
	RequestAddBroker                            RequestCode = 902
	RequestRemoveBroker                         RequestCode = 903
	RequestBrokerHeartbeat                      RequestCode = 904
	RequestNotifyMinBrokerIDChange              RequestCode = 905
	RequestExchangeBrokerHAInfo                 RequestCode = 906
	RequestGetBrokerHAStatus                    RequestCode = 907
	RequestResetMasterFlushOffset               RequestCode = 908
	RequestControllerAlterSyncStateSet          RequestCode = 1001
	RequestControllerElectMaster                RequestCode = 1002
	RequestControllerRegisterBroker             RequestCode = 1003
	RequestControllerGetReplicaInfo             RequestCode = 1004
	RequestControllerGetMetadataInfo            RequestCode = 1005
	RequestControllerGetSyncStateData           RequestCode = 1006
	RequestGetBrokerEpochCache                  RequestCode = 1007
	RequestNotifyBrokerRoleChanged              RequestCode = 1008
	RequestUpdateControllerConfig               RequestCode = 1009
	RequestGetControllerConfig                  RequestCode = 1010
	RequestCleanBrokerData                      RequestCode = 1011
	RequestControllerGetNextBrokerID            RequestCode = 1012
	RequestControllerApplyBrokerID              RequestCode = 1013
	RequestUpdateColdDataFlowCtrConfig          RequestCode = 2001
	RequestRemoveColdDataFlowCtrConfig          RequestCode = 2002
	RequestGetColdDataFlowCtrInfo               RequestCode = 2003
	RequestSetCommitLogReadMode                 RequestCode = 2004
	RequestAuthCreateUser                       RequestCode = 3001
	RequestAuthUpdateUser                       RequestCode = 3002
	RequestAuthDeleteUser                       RequestCode = 3003
	RequestAuthGetUser                          RequestCode = 3004
	RequestAuthListUser                         RequestCode = 3005
	RequestAuthCreateACL                        RequestCode = 3006
	RequestAuthUpdateACL                        RequestCode = 3007
	RequestAuthDeleteACL                        RequestCode = 3008
	RequestAuthGetACL                           RequestCode = 3009
	RequestAuthListACL                          RequestCode = 3010
	RequestSwitchTimerEngine                    RequestCode = 5001
	RequestDeleteTopicInBrokerList              RequestCode = 5002
	RequestDeleteSubscriptionGroupList          RequestCode = 5003
	RequestPopMessage                           RequestCode = 200050
	RequestAckMessage                           RequestCode = 200051
	RequestPeekMessage                          RequestCode = 200052
	RequestChangeMessageInvisibleTime           RequestCode = 200053
	RequestNotification                         RequestCode = 200054
	RequestPollingInfo                          RequestCode = 200055
	RequestPopRollback                          RequestCode = 200056
	RequestPopLiteMessage                       RequestCode = 200070
	RequestLiteSubscriptionCtl                  RequestCode = 200071
	RequestAckLiteMessage                       RequestCode = 200072
	RequestNotifyUnsubscribeLite                RequestCode = 200073
	RequestGetBrokerLiteInfo                    RequestCode = 200074
	RequestGetParentTopicInfo                   RequestCode = 200075
	RequestGetLiteTopicInfo                     RequestCode = 200076
	RequestGetLiteClientInfo                    RequestCode = 200077
	RequestGetLiteGroupInfo                     RequestCode = 200078
	RequestTriggerLiteDispatch                  RequestCode = 200079
	RequestBatchAckMessage                      RequestCode = 200151
)

// requestCodeNames holds Java's own constant names.
var requestCodeNames = map[RequestCode]string{
	RequestSendMessage:                          "SEND_MESSAGE",
	RequestPullMessage:                          "PULL_MESSAGE",
	RequestQueryMessage:                         "QUERY_MESSAGE",
	RequestQueryBrokerOffset:                    "QUERY_BROKER_OFFSET",
	RequestQueryConsumerOffset:                  "QUERY_CONSUMER_OFFSET",
	RequestUpdateConsumerOffset:                 "UPDATE_CONSUMER_OFFSET",
	RequestUpdateAndCreateTopic:                 "UPDATE_AND_CREATE_TOPIC",
	RequestUpdateAndCreateTopicList:             "UPDATE_AND_CREATE_TOPIC_LIST",
	RequestGetAllTopicConfig:                    "GET_ALL_TOPIC_CONFIG",
	RequestGetTopicConfigList:                   "GET_TOPIC_CONFIG_LIST",
	RequestGetTopicNameList:                     "GET_TOPIC_NAME_LIST",
	RequestUpdateBrokerConfig:                   "UPDATE_BROKER_CONFIG",
	RequestGetBrokerConfig:                      "GET_BROKER_CONFIG",
	RequestTriggerDeleteFiles:                   "TRIGGER_DELETE_FILES",
	RequestGetBrokerRuntimeInfo:                 "GET_BROKER_RUNTIME_INFO",
	RequestSearchOffsetByTimestamp:              "SEARCH_OFFSET_BY_TIMESTAMP",
	RequestGetMaxOffset:                         "GET_MAX_OFFSET",
	RequestGetMinOffset:                         "GET_MIN_OFFSET",
	RequestGetEarliestMsgStoreTime:              "GET_EARLIEST_MSG_STORETIME",
	RequestViewMessageByID:                      "VIEW_MESSAGE_BY_ID",
	RequestHeartBeat:                            "HEART_BEAT",
	RequestUnregisterClient:                     "UNREGISTER_CLIENT",
	RequestConsumerSendMsgBack:                  "CONSUMER_SEND_MSG_BACK",
	RequestEndTransaction:                       "END_TRANSACTION",
	RequestGetConsumerListByGroup:               "GET_CONSUMER_LIST_BY_GROUP",
	RequestCheckTransactionState:                "CHECK_TRANSACTION_STATE",
	RequestNotifyConsumerIDsChanged:             "NOTIFY_CONSUMER_IDS_CHANGED",
	RequestLockBatchMQ:                          "LOCK_BATCH_MQ",
	RequestUnlockBatchMQ:                        "UNLOCK_BATCH_MQ",
	RequestGetAllConsumerOffset:                 "GET_ALL_CONSUMER_OFFSET",
	RequestGetAllDelayOffset:                    "GET_ALL_DELAY_OFFSET",
	RequestCheckClientConfig:                    "CHECK_CLIENT_CONFIG",
	RequestGetClientConfig:                      "GET_CLIENT_CONFIG",
	RequestUpdateAndCreateACLConfig:             "UPDATE_AND_CREATE_ACL_CONFIG",
	RequestDeleteACLConfig:                      "DELETE_ACL_CONFIG",
	RequestGetBrokerClusterACLInfo:              "GET_BROKER_CLUSTER_ACL_INFO",
	RequestUpdateGlobalWhiteAddrsConfig:         "UPDATE_GLOBAL_WHITE_ADDRS_CONFIG",
	RequestGetBrokerClusterACLConfig:            "GET_BROKER_CLUSTER_ACL_CONFIG",
	RequestGetTimerCheckPoint:                   "GET_TIMER_CHECK_POINT",
	RequestGetTimerMetrics:                      "GET_TIMER_METRICS",
	RequestPutKVConfig:                          "PUT_KV_CONFIG",
	RequestGetKVConfig:                          "GET_KV_CONFIG",
	RequestDeleteKVConfig:                       "DELETE_KV_CONFIG",
	RequestRegisterBroker:                       "REGISTER_BROKER",
	RequestUnregisterBroker:                     "UNREGISTER_BROKER",
	RequestGetRouteInfoByTopic:                  "GET_ROUTEINFO_BY_TOPIC",
	RequestGetBrokerClusterInfo:                 "GET_BROKER_CLUSTER_INFO",
	RequestUpdateAndCreateSubscriptionGroup:     "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
	RequestGetAllSubscriptionGroupConfig:        "GET_ALL_SUBSCRIPTIONGROUP_CONFIG",
	RequestGetTopicStatsInfo:                    "GET_TOPIC_STATS_INFO",
	RequestGetConsumerConnectionList:            "GET_CONSUMER_CONNECTION_LIST",
	RequestGetProducerConnectionList:            "GET_PRODUCER_CONNECTION_LIST",
	RequestWipeWritePermOfBroker:                "WIPE_WRITE_PERM_OF_BROKER",
	RequestGetAllTopicListFromNameServer:        "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
	RequestDeleteSubscriptionGroup:              "DELETE_SUBSCRIPTIONGROUP",
	RequestGetConsumeStats:                      "GET_CONSUME_STATS",
	RequestSuspendConsumer:                      "SUSPEND_CONSUMER",
	RequestResumeConsumer:                       "RESUME_CONSUMER",
	RequestResetConsumerOffsetInConsumer:        "RESET_CONSUMER_OFFSET_IN_CONSUMER",
	RequestResetConsumerOffsetInBroker:          "RESET_CONSUMER_OFFSET_IN_BROKER",
	RequestAdjustConsumerThreadPool:             "ADJUST_CONSUMER_THREAD_POOL",
	RequestWhoConsumeTheMessage:                 "WHO_CONSUME_THE_MESSAGE",
	RequestDeleteTopicInBroker:                  "DELETE_TOPIC_IN_BROKER",
	RequestDeleteTopicInNamesrv:                 "DELETE_TOPIC_IN_NAMESRV",
	RequestRegisterTopicInNamesrv:               "REGISTER_TOPIC_IN_NAMESRV",
	RequestGetKVListByNamespace:                 "GET_KVLIST_BY_NAMESPACE",
	RequestResetConsumerClientOffset:            "RESET_CONSUMER_CLIENT_OFFSET",
	RequestGetConsumerStatusFromClient:          "GET_CONSUMER_STATUS_FROM_CLIENT",
	RequestInvokeBrokerToResetOffset:            "INVOKE_BROKER_TO_RESET_OFFSET",
	RequestInvokeBrokerToGetConsumerStatus:      "INVOKE_BROKER_TO_GET_CONSUMER_STATUS",
	RequestGetTopicsByCluster:                   "GET_TOPICS_BY_CLUSTER",
	RequestUpdateAndCreateSubscriptionGroupList: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST",
	RequestQueryTopicConsumeByWho:               "QUERY_TOPIC_CONSUME_BY_WHO",
	RequestRegisterFilterServer:                 "REGISTER_FILTER_SERVER",
	RequestRegisterMessageFilterClass:           "REGISTER_MESSAGE_FILTER_CLASS",
	RequestQueryConsumeTimeSpan:                 "QUERY_CONSUME_TIME_SPAN",
	RequestGetSystemTopicListFromNS:             "GET_SYSTEM_TOPIC_LIST_FROM_NS",
	RequestGetSystemTopicListFromBroker:         "GET_SYSTEM_TOPIC_LIST_FROM_BROKER",
	RequestCleanExpiredConsumeQueue:             "CLEAN_EXPIRED_CONSUMEQUEUE",
	RequestGetConsumerRunningInfo:               "GET_CONSUMER_RUNNING_INFO",
	RequestQueryCorrectionOffset:                "QUERY_CORRECTION_OFFSET",
	RequestConsumeMessageDirectly:               "CONSUME_MESSAGE_DIRECTLY",
	RequestSendMessageV2:                        "SEND_MESSAGE_V2",
	RequestGetUnitTopicList:                     "GET_UNIT_TOPIC_LIST",
	RequestGetHasUnitSubTopicList:               "GET_HAS_UNIT_SUB_TOPIC_LIST",
	RequestGetHasUnitSubUnunitTopicList:         "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST",
	RequestCloneGroupOffset:                     "CLONE_GROUP_OFFSET",
	RequestViewBrokerStatsData:                  "VIEW_BROKER_STATS_DATA",
	RequestCleanUnusedTopic:                     "CLEAN_UNUSED_TOPIC",
	RequestGetBrokerConsumeStats:                "GET_BROKER_CONSUME_STATS",
	RequestUpdateNamesrvConfig:                  "UPDATE_NAMESRV_CONFIG",
	RequestGetNamesrvConfig:                     "GET_NAMESRV_CONFIG",
	RequestSendBatchMessage:                     "SEND_BATCH_MESSAGE",
	RequestQueryConsumeQueue:                    "QUERY_CONSUME_QUEUE",
	RequestQueryDataVersion:                     "QUERY_DATA_VERSION",
	RequestResumeCheckHalfMessage:               "RESUME_CHECK_HALF_MESSAGE",
	RequestSendReplyMessage:                     "SEND_REPLY_MESSAGE",
	RequestSendReplyMessageV2:                   "SEND_REPLY_MESSAGE_V2",
	RequestPushReplyMessageToClient:             "PUSH_REPLY_MESSAGE_TO_CLIENT",
	RequestAddWritePermOfBroker:                 "ADD_WRITE_PERM_OF_BROKER",
	RequestGetAllProducerInfo:                   "GET_ALL_PRODUCER_INFO",
	RequestDeleteExpiredCommitLog:               "DELETE_EXPIRED_COMMITLOG",
	RequestQueryTopicsByConsumer:                "QUERY_TOPICS_BY_CONSUMER",
	RequestQuerySubscriptionByConsumer:          "QUERY_SUBSCRIPTION_BY_CONSUMER",
	RequestGetTopicConfig:                       "GET_TOPIC_CONFIG",
	RequestGetSubscriptionGroupConfig:           "GET_SUBSCRIPTIONGROUP_CONFIG",
	RequestUpdateAndGetGroupForbidden:           "UPDATE_AND_GET_GROUP_FORBIDDEN",
	RequestCheckRocksDBCQWriteProgress:          "CHECK_ROCKSDB_CQ_WRITE_PROGRESS",
	RequestExportRocksDBConfigToJSON:            "EXPORT_ROCKSDB_CONFIG_TO_JSON",
	RequestLitePullMessage:                      "LITE_PULL_MESSAGE",
	RequestRecallMessage:                        "RECALL_MESSAGE",
	RequestQueryAssignment:                      "QUERY_ASSIGNMENT",
	RequestSetMessageRequestMode:                "SET_MESSAGE_REQUEST_MODE",
	RequestGetAllMessageRequestMode:             "GET_ALL_MESSAGE_REQUEST_MODE",
	RequestUpdateAndCreateStaticTopic:           "UPDATE_AND_CREATE_STATIC_TOPIC",
	RequestGetBrokerMemberGroup:                 "GET_BROKER_MEMBER_GROUP",
	RequestAddBroker:                            "ADD_BROKER",
	RequestRemoveBroker:                         "REMOVE_BROKER",
	RequestBrokerHeartbeat:                      "BROKER_HEARTBEAT",
	RequestNotifyMinBrokerIDChange:              "NOTIFY_MIN_BROKER_ID_CHANGE",
	RequestExchangeBrokerHAInfo:                 "EXCHANGE_BROKER_HA_INFO",
	RequestGetBrokerHAStatus:                    "GET_BROKER_HA_STATUS",
	RequestResetMasterFlushOffset:               "RESET_MASTER_FLUSH_OFFSET",
	RequestControllerAlterSyncStateSet:          "CONTROLLER_ALTER_SYNC_STATE_SET",
	RequestControllerElectMaster:                "CONTROLLER_ELECT_MASTER",
	RequestControllerRegisterBroker:             "CONTROLLER_REGISTER_BROKER",
	RequestControllerGetReplicaInfo:             "CONTROLLER_GET_REPLICA_INFO",
	RequestControllerGetMetadataInfo:            "CONTROLLER_GET_METADATA_INFO",
	RequestControllerGetSyncStateData:           "CONTROLLER_GET_SYNC_STATE_DATA",
	RequestGetBrokerEpochCache:                  "GET_BROKER_EPOCH_CACHE",
	RequestNotifyBrokerRoleChanged:              "NOTIFY_BROKER_ROLE_CHANGED",
	RequestUpdateControllerConfig:               "UPDATE_CONTROLLER_CONFIG",
	RequestGetControllerConfig:                  "GET_CONTROLLER_CONFIG",
	RequestCleanBrokerData:                      "CLEAN_BROKER_DATA",
	RequestControllerGetNextBrokerID:            "CONTROLLER_GET_NEXT_BROKER_ID",
	RequestControllerApplyBrokerID:              "CONTROLLER_APPLY_BROKER_ID",
	RequestUpdateColdDataFlowCtrConfig:          "UPDATE_COLD_DATA_FLOW_CTR_CONFIG",
	RequestRemoveColdDataFlowCtrConfig:          "REMOVE_COLD_DATA_FLOW_CTR_CONFIG",
	RequestGetColdDataFlowCtrInfo:               "GET_COLD_DATA_FLOW_CTR_INFO",
	RequestSetCommitLogReadMode:                 "SET_COMMITLOG_READ_MODE",
	RequestAuthCreateUser:                       "AUTH_CREATE_USER",
	RequestAuthUpdateUser:                       "AUTH_UPDATE_USER",
	RequestAuthDeleteUser:                       "AUTH_DELETE_USER",
	RequestAuthGetUser:                          "AUTH_GET_USER",
	RequestAuthListUser:                         "AUTH_LIST_USER",
	RequestAuthCreateACL:                        "AUTH_CREATE_ACL",
	RequestAuthUpdateACL:                        "AUTH_UPDATE_ACL",
	RequestAuthDeleteACL:                        "AUTH_DELETE_ACL",
	RequestAuthGetACL:                           "AUTH_GET_ACL",
	RequestAuthListACL:                          "AUTH_LIST_ACL",
	RequestSwitchTimerEngine:                    "SWITCH_TIMER_ENGINE",
	RequestDeleteTopicInBrokerList:              "DELETE_TOPIC_IN_BROKER_LIST",
	RequestDeleteSubscriptionGroupList:          "DELETE_SUBSCRIPTION_GROUP_LIST",
	RequestPopMessage:                           "POP_MESSAGE",
	RequestAckMessage:                           "ACK_MESSAGE",
	RequestPeekMessage:                          "PEEK_MESSAGE",
	RequestChangeMessageInvisibleTime:           "CHANGE_MESSAGE_INVISIBLETIME",
	RequestNotification:                         "NOTIFICATION",
	RequestPollingInfo:                          "POLLING_INFO",
	RequestPopRollback:                          "POP_ROLLBACK",
	RequestPopLiteMessage:                       "POP_LITE_MESSAGE",
	RequestLiteSubscriptionCtl:                  "LITE_SUBSCRIPTION_CTL",
	RequestAckLiteMessage:                       "ACK_LITE_MESSAGE",
	RequestNotifyUnsubscribeLite:                "NOTIFY_UNSUBSCRIBE_LITE",
	RequestGetBrokerLiteInfo:                    "GET_BROKER_LITE_INFO",
	RequestGetParentTopicInfo:                   "GET_PARENT_TOPIC_INFO",
	RequestGetLiteTopicInfo:                     "GET_LITE_TOPIC_INFO",
	RequestGetLiteClientInfo:                    "GET_LITE_CLIENT_INFO",
	RequestGetLiteGroupInfo:                     "GET_LITE_GROUP_INFO",
	RequestTriggerLiteDispatch:                  "TRIGGER_LITE_DISPATCH",
	RequestBatchAckMessage:                      "BATCH_ACK_MESSAGE",
}

// String returns the Java constant name, for instance "SEND_MESSAGE_V2", or
// "UNKNOWN_REQUEST_CODE_<n>". Only the latter allocates: the number comes from a
// stranger, so it must not become the name of a stat.
func (c RequestCode) String() string {
	if s, ok := requestCodeNames[c]; ok {
		return s
	}
	return "UNKNOWN_REQUEST_CODE_" + strconv.Itoa(int(c))
}

// Known reports whether c has a name here.
func (c RequestCode) Known() bool {
	_, ok := requestCodeNames[c]
	return ok
}

// RequestCodes gives a new slice with all known request codes in ascending order.
func RequestCodes() []RequestCode {
	codes := make([]RequestCode, 0, len(requestCodeNames))
	for c := range requestCodeNames {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes
}
