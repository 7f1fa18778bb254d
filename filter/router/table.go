// SPDX-License-Identifier: Apache-2.0

package router

import (
	"time"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
)

// Deadlines, each a little below what clients wait (PROTOCOL: Java's MQClientAPIImpl and its callers).
const (
	sendTimeout    = 2900 * time.Millisecond
	shortTimeout   = 2500 * time.Millisecond
	offsetTimeout  = 4500 * time.Millisecond
	lockTimeout    = 900 * time.Millisecond
	queryTimeout   = 15 * time.Second
	pullTimeout    = 9500 * time.Millisecond
	longPollMargin = 9500 * time.Millisecond
)

// Of gives the row of a request code. Codes without one share a row of class Unlisted.
func Of(code codec.RequestCode) *Kind {
	if n, ok := code.Ordinal(); ok {
		return byOrdinal[n]
	}
	return &unlisted
}

var unlisted = Kind{Class: Unlisted, Locate: ifNamed, inHeader: adminNames}

// byOrdinal has the row of each code that package codec knows.
var byOrdinal = func() []*Kind {
	rows := make([]*Kind, len(codec.RequestCodes()))
	for i := range rows {
		rows[i] = &unlisted
	}
	for i := range Table {
		n, ok := Table[i].Code.Ordinal()
		if !ok {
			panic("a row with an unknown code")
		}
		rows[n] = &Table[i]
		rows[n].inHeader, rows[n].inBody = namesInHeader(rows[n]), subjectsInBody[rows[n].Code]
	}
	return rows
}()

// Table has a row for each request code that package codec knows.
var Table = withAddresses(concat(
	with(ClientTraffic,
		// Messages.
		Kind{Code: codec.RequestSendMessage, Class: Named, Timeout: sendTimeout, Prepared: prepared("sysFlag"), Locate: named(longNames)},
		Kind{Code: codec.RequestSendMessageV2, Class: Named, Timeout: sendTimeout, Prepared: prepared("f"), Locate: named(shortNames)},
		Kind{Code: codec.RequestSendBatchMessage, Class: Named, Timeout: sendTimeout, Locate: named(shortNames)},
		Kind{Code: codec.RequestSendReplyMessage, Class: Named, Timeout: sendTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestSendReplyMessageV2, Class: Named, Timeout: sendTimeout, Locate: named(shortNames)},
		Kind{Code: codec.RequestEndTransaction, Class: Named, Timeout: shortTimeout, Locate: endTransaction},
		Kind{Code: codec.RequestConsumerSendMsgBack, Class: Named, Timeout: shortTimeout, Locate: named(names{broker: "bname", topic: "originTopic"})},
		Kind{Code: codec.RequestPullMessage, Class: Named, Timeout: pullTimeout, Wait: pullWait, Locate: named(longNames)},
		Kind{Code: codec.RequestLitePullMessage, Class: Named, Timeout: pullTimeout, Wait: pullWait, Locate: named(longNames)},
		Kind{Code: codec.RequestPopMessage, Class: Named, Timeout: longPollMargin, Wait: popWait, Locate: named(longNames)},
		Kind{Code: codec.RequestPopLiteMessage, Class: Named, Timeout: longPollMargin, Wait: popWait, Locate: named(longNames)},
		Kind{Code: codec.RequestNotification, Class: Named, Timeout: longPollMargin, Wait: popWait, Locate: named(longNames)},
		Kind{Code: codec.RequestAckMessage, Class: Named, Timeout: shortTimeout, Locate: byReceipt},
		Kind{Code: codec.RequestAckLiteMessage, Class: Named, Timeout: shortTimeout, Locate: byReceipt},
		Kind{Code: codec.RequestChangeMessageInvisibleTime, Class: Named, Timeout: shortTimeout, Locate: byReceipt},
		Kind{Code: codec.RequestBatchAckMessage, Class: Named, Timeout: shortTimeout, Locate: batchAck},
		Kind{Code: codec.RequestPeekMessage, Class: Named, Timeout: shortTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestPollingInfo, Class: Named, Timeout: shortTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestLiteSubscriptionCtl, Class: Named, Timeout: shortTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestRecallMessage, Class: Named, Timeout: sendTimeout, Locate: recall},

		// Offsets.
		Kind{Code: codec.RequestQueryConsumerOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestUpdateConsumerOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestSearchOffsetByTimestamp, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestGetMaxOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestGetMinOffset, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},
		Kind{Code: codec.RequestGetEarliestMsgStoreTime, Class: Named, Timeout: offsetTimeout, Locate: named(longNames)},

		// Membership and balance.
		Kind{Code: codec.RequestHeartBeat, Class: AllBrokers, Timeout: shortTimeout},
		Kind{Code: codec.RequestUnregisterClient, Class: AllBrokers, Timeout: shortTimeout},
		Kind{Code: codec.RequestGetConsumerListByGroup, Class: AnyBroker, Timeout: shortTimeout, Locate: consumerList, Rewrite: ConsumerIDs},
		Kind{Code: codec.RequestLockBatchMQ, Class: Named, Timeout: lockTimeout, Locate: lockBatch},
		Kind{Code: codec.RequestUnlockBatchMQ, Class: Named, Timeout: lockTimeout, Locate: lockBatch},
		Kind{Code: codec.RequestCheckClientConfig, Class: AnyBroker, Timeout: shortTimeout, Locate: checkClientConfig},
		Kind{Code: codec.RequestQueryAssignment, Class: AnyBroker, Timeout: shortTimeout, Locate: queryAssignment},
		Kind{Code: codec.RequestGetRouteInfoByTopic, Class: NameServer, Timeout: shortTimeout, Rewrite: TopicRouteData},
	),
	with(Reads,
		Kind{Code: codec.RequestQueryMessage, Class: AnyBroker, Timeout: queryTimeout, Locate: queryMessage},
		Kind{Code: codec.RequestViewMessageByID, Class: AddressOnly, Locate: viewMessage},
		Kind{Code: codec.RequestGetBrokerClusterInfo, Class: NameServer, Timeout: shortTimeout, Rewrite: ClusterInfo},
		Kind{Code: codec.RequestGetSystemTopicListFromNS, Class: NameServer, Timeout: shortTimeout, Rewrite: TopicList},
		Kind{Code: codec.RequestGetSystemTopicListFromBroker, Class: AnyBroker, Timeout: shortTimeout, Locate: systemTopicList},
		Kind{Code: codec.RequestQueryTopicsByConsumer, Class: AddressOnly, Locate: onlyByAddress, Rewrite: TopicList},
	),
	rows(EveryBroker, Changes,
		codec.RequestUpdateAndCreateTopic, codec.RequestUpdateAndCreateTopicList, codec.RequestDeleteTopicInBroker,
		codec.RequestUpdateAndCreateSubscriptionGroup, codec.RequestUpdateAndCreateSubscriptionGroupList,
		codec.RequestDeleteSubscriptionGroup, codec.RequestSetMessageRequestMode, codec.RequestDeleteTopicInBrokerList,
		codec.RequestDeleteSubscriptionGroupList),
	rows(NameServer, Reads,
		codec.RequestGetKVConfig, codec.RequestGetKVListByNamespace, codec.RequestGetAllTopicListFromNameServer,
		codec.RequestGetTopicsByCluster, codec.RequestGetUnitTopicList,
		codec.RequestGetHasUnitSubTopicList, codec.RequestGetHasUnitSubUnunitTopicList, codec.RequestGetNamesrvConfig),
	rows(AllNameServers, Changes,
		codec.RequestPutKVConfig, codec.RequestDeleteKVConfig, codec.RequestWipeWritePermOfBroker,
		codec.RequestAddWritePermOfBroker, codec.RequestDeleteTopicInNamesrv, codec.RequestUpdateNamesrvConfig),
	rows(FromBroker, ClientTraffic,
		codec.RequestCheckTransactionState, codec.RequestNotifyConsumerIDsChanged, codec.RequestPushReplyMessageToClient,
		codec.RequestNotifyUnsubscribeLite),
	rows(FromBroker, Reads, codec.RequestGetConsumerStatusFromClient),
	rows(FromBroker, Changes, codec.RequestResetConsumerClientOffset),
	rows(Internal, Reads,
		codec.RequestGetBrokerMemberGroup, codec.RequestGetAllConsumerOffset, codec.RequestGetAllDelayOffset,
		codec.RequestGetTimerCheckPoint, codec.RequestGetTimerMetrics, codec.RequestGetAllMessageRequestMode, codec.RequestControllerGetReplicaInfo,
		codec.RequestControllerGetMetadataInfo, codec.RequestControllerGetSyncStateData, codec.RequestGetControllerConfig,
		codec.RequestControllerGetNextBrokerID),
	rows(Internal, Changes,
		codec.RequestRegisterBroker, codec.RequestUnregisterBroker, codec.RequestQueryDataVersion, codec.RequestBrokerHeartbeat,
		codec.RequestNotifyMinBrokerIDChange, codec.RequestExchangeBrokerHAInfo, codec.RequestNotifyBrokerRoleChanged,
		codec.RequestControllerAlterSyncStateSet, codec.RequestControllerElectMaster, codec.RequestControllerRegisterBroker,
		codec.RequestUpdateControllerConfig, codec.RequestCleanBrokerData, codec.RequestControllerApplyBrokerID,
		codec.RequestRegisterTopicInNamesrv, codec.RequestRegisterFilterServer, codec.RequestRegisterMessageFilterClass),
	rows(AddressOnly, Changes,
		codec.RequestUpdateAndCreateStaticTopic, codec.RequestUpdateAndGetGroupForbidden, codec.RequestInvokeBrokerToResetOffset,
		codec.RequestCloneGroupOffset, codec.RequestConsumeMessageDirectly, codec.RequestResumeCheckHalfMessage,
		codec.RequestUpdateBrokerConfig, codec.RequestCleanExpiredConsumeQueue, codec.RequestCleanUnusedTopic,
		codec.RequestDeleteExpiredCommitLog, codec.RequestResetMasterFlushOffset, codec.RequestAddBroker, codec.RequestRemoveBroker,
		codec.RequestUpdateColdDataFlowCtrConfig, codec.RequestRemoveColdDataFlowCtrConfig, codec.RequestSetCommitLogReadMode,
		codec.RequestAuthCreateUser, codec.RequestAuthUpdateUser, codec.RequestAuthDeleteUser, codec.RequestAuthCreateACL,
		codec.RequestAuthUpdateACL, codec.RequestAuthDeleteACL, codec.RequestUpdateAndCreateACLConfig, codec.RequestDeleteACLConfig,
		codec.RequestUpdateGlobalWhiteAddrsConfig, codec.RequestTriggerDeleteFiles, codec.RequestSuspendConsumer,
		codec.RequestResumeConsumer, codec.RequestResetConsumerOffsetInConsumer, codec.RequestResetConsumerOffsetInBroker,
		codec.RequestAdjustConsumerThreadPool, codec.RequestSwitchTimerEngine, codec.RequestPopRollback,
		codec.RequestTriggerLiteDispatch,
		codec.RequestExportRocksDBConfigToJSON), // it writes files
	rows(AddressOnly, Reads,
		codec.RequestGetTopicConfig, codec.RequestGetAllTopicConfig,
		codec.RequestGetAllSubscriptionGroupConfig, codec.RequestGetSubscriptionGroupConfig, codec.RequestGetTopicStatsInfo,
		codec.RequestGetConsumeStats, codec.RequestGetBrokerConsumeStats, codec.RequestViewBrokerStatsData,
		codec.RequestGetConsumerConnectionList, codec.RequestGetProducerConnectionList, codec.RequestGetAllProducerInfo,
		codec.RequestInvokeBrokerToGetConsumerStatus, codec.RequestQueryTopicConsumeByWho, codec.RequestQueryConsumeTimeSpan,
		codec.RequestQueryCorrectionOffset, codec.RequestQuerySubscriptionByConsumer,
		codec.RequestGetConsumerRunningInfo, codec.RequestQueryConsumeQueue, codec.RequestCheckRocksDBCQWriteProgress,
		codec.RequestGetBrokerConfig, codec.RequestGetBrokerRuntimeInfo,
		codec.RequestGetBrokerHAStatus, codec.RequestGetBrokerEpochCache, codec.RequestGetColdDataFlowCtrInfo,
		codec.RequestAuthGetUser, codec.RequestAuthListUser, codec.RequestAuthGetACL, codec.RequestAuthListACL,
		codec.RequestGetBrokerClusterACLInfo, codec.RequestGetBrokerClusterACLConfig, codec.RequestQueryBrokerOffset,
		codec.RequestGetTopicConfigList, codec.RequestGetTopicNameList, codec.RequestGetClientConfig,
		codec.RequestWhoConsumeTheMessage, codec.RequestGetBrokerLiteInfo, codec.RequestGetParentTopicInfo,
		codec.RequestGetLiteTopicInfo, codec.RequestGetLiteClientInfo, codec.RequestGetLiteGroupInfo),
))

// with gives rows their effect.
func with(effect Effect, kinds ...Kind) []Kind {
	for i := range kinds {
		kinds[i].Effect = effect
	}
	return kinds
}

// rows makes rows that have nothing but their class and their effect.
func rows(class Class, effect Effect, codes ...codec.RequestCode) []Kind {
	kinds := make([]Kind, len(codes))
	for i, code := range codes {
		kinds[i] = Kind{Code: code, Class: class}
		if class == AddressOnly {
			kinds[i].Locate = onlyByAddress
		}
	}
	return with(effect, kinds...)
}

func concat(parts ...[]Kind) (all []Kind) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}
