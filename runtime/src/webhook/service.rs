//! Conversations, `TaskRouter` and the Debugger.

use super::table::{choices, webhook};

webhook! {
    /// An event of Conversations, before or after it takes effect. Answer events after it (`onMessageAdded`) with
    /// [`NoContent`](crate::twiml::NoContent). The answer to an event before it (`onMessageAdd`) is JSON, within five
    /// seconds.
    ///
    /// Source: <https://www.twilio.com/docs/conversations/conversations-webhooks>.
    pub struct ConversationEvent {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The event, such as `onMessageAdded`.
        "EventType" => event_type: String,
        /// What caused the event: `SMS`, `WHATSAPP`, `API`, `SDK` and others.
        "Source" => source: Option<String>,
        /// The identity of the user that caused the event through an SDK.
        "ClientIdentity" => client_identity: Option<String>,
        /// The number of the attempt to deliver the event, from 0.
        "RetryCount" => retry_count: Option<u32>,
        /// The conversation, `CH` and 32 hex digits.
        "ConversationSid" => conversation_sid: Option<String>,
        /// The Conversations service, `IS` and 32 hex digits.
        "ChatServiceSid" => chat_service_sid: Option<String>,
        /// The Messaging Service, `MG` and 32 hex digits.
        "MessagingServiceSid" => messaging_service_sid: Option<String>,
        /// Conversations: the name.
        "FriendlyName" => friendly_name: Option<String>,
        /// Conversations: the unique name.
        "UniqueName" => unique_name: Option<String>,
        /// Conversations: the state, `active`, `inactive` or `closed`.
        "State" => state: Option<String>,
        /// Conversations: the state before.
        "StateFrom" => state_from: Option<String>,
        /// Conversations: the state after.
        "StateTo" => state_to: Option<String>,
        /// Messages: the message, `IM` and 32 hex digits.
        "MessageSid" => message_sid: Option<String>,
        /// Messages: the number in the conversation, from 0.
        "Index" => index: Option<u32>,
        /// Messages: the author.
        "Author" => author: Option<String>,
        /// Messages: the text.
        "Body" => body: Option<String>,
        /// Messages: the files, a JSON array of objects with `Sid`, `Filename`, `ContentType` and `Size`.
        "Media" => media: Option<String>,
        /// Participants: the participant, `MB` and 32 hex digits.
        "ParticipantSid" => participant_sid: Option<String>,
        /// Participants: the identity, for one that takes part through an SDK.
        "Identity" => identity: Option<String>,
        /// Participants: the role, `RL` and 32 hex digits.
        "RoleSid" => role_sid: Option<String>,
        /// Participants: the participant's own address, such as `+14158675310`.
        "MessagingBinding.Address" => messaging_binding_address: Option<String>,
        /// Participants: the number or address of yours that the participant writes to.
        "MessagingBinding.ProxyAddress" => messaging_binding_proxy_address: Option<String>,
        /// Receipts: the status of the delivery, such as `delivered`.
        "Status" => status: Option<String>,
        /// Receipts: the receipt, `DY` and 32 hex digits.
        "DeliveryReceiptSid" => delivery_receipt_sid: Option<String>,
        /// Receipts: the message at its channel, `SM` or `MM` and 32 hex digits.
        "ChannelMessageSid" => channel_message_sid: Option<String>,
        /// Receipts: why the message failed: <https://www.twilio.com/docs/api/errors>.
        "ErrorCode" => error_code: Option<u32>,
        /// Users: the user, `US` and 32 hex digits.
        "UserSid" => user_sid: Option<String>,
        /// The app's own data on what the event is about, as JSON.
        "Attributes" => attributes: Option<String>,
        /// When it was created, in ISO 8601 format.
        "DateCreated" => date_created: Option<String>,
        /// When it was changed last, in ISO 8601 format.
        "DateUpdated" => date_updated: Option<String>,
        /// When it was removed, in ISO 8601 format.
        "DateRemoved" => date_removed: Option<String>,
    }
}

webhook! {
    /// An event of `TaskRouter`. Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/taskrouter/api/event/reference>.
    pub struct TaskRouterEvent {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The workspace, `WS` and 32 hex digits.
        required "WorkspaceSid" => workspace_sid: String,
        /// The workspace's name.
        "WorkspaceName" => workspace_name: Option<String>,
        /// The event, `EV` and 32 hex digits.
        "Sid" => event_sid: Option<String>,
        /// The event's type, such as `task.created`.
        "EventType" => event_type: String,
        /// The event, in words.
        "EventDescription" => event_description: Option<String>,
        /// What the event is about: `task`, `reservation`, `worker`, `activity`, `workflow` or `workspace`.
        "ResourceType" => resource_type: Option<String>,
        /// What the event is about.
        "ResourceSid" => resource_sid: Option<String>,
        /// When it happened, in seconds since 1970.
        "Timestamp" => timestamp: Option<String>,
        /// When it happened, in milliseconds since 1970.
        "TimestampMs" => timestamp_ms: Option<String>,
        /// The task, `WT` and 32 hex digits.
        "TaskSid" => task_sid: Option<String>,
        /// The app's data on the task, as JSON.
        "TaskAttributes" => task_attributes: Option<String>,
        /// The task's age in seconds.
        "TaskAge" => task_age: Option<u32>,
        /// The task's priority; a greater number comes first.
        "TaskPriority" => task_priority: Option<u32>,
        /// The task's status: `pending`, `reserved`, `assigned`, `wrapping`, `completed` or `canceled`.
        "TaskAssignmentStatus" => task_assignment_status: Option<String>,
        /// Why the task was canceled.
        "TaskCanceledReason" => task_canceled_reason: Option<String>,
        /// Why the task was completed.
        "TaskCompletedReason" => task_completed_reason: Option<String>,
        /// The task's channel, `TC` and 32 hex digits.
        "TaskChannelSid" => task_channel_sid: Option<String>,
        /// The unique name of the task's channel, such as `voice`.
        "TaskChannelUniqueName" => task_channel_unique_name: Option<String>,
        /// The task queue, `WQ` and 32 hex digits.
        "TaskQueueSid" => task_queue_sid: Option<String>,
        /// The task queue's name.
        "TaskQueueName" => task_queue_name: Option<String>,
        /// The workflow, `WW` and 32 hex digits.
        "WorkflowSid" => workflow_sid: Option<String>,
        /// The workflow's name.
        "WorkflowName" => workflow_name: Option<String>,
        /// The reservation, `WR` and 32 hex digits.
        "ReservationSid" => reservation_sid: Option<String>,
        /// The worker, `WK` and 32 hex digits.
        "WorkerSid" => worker_sid: Option<String>,
        /// The worker's name.
        "WorkerName" => worker_name: Option<String>,
        /// The app's data on the worker, as JSON.
        "WorkerAttributes" => worker_attributes: Option<String>,
        /// The worker's activity, `WA` and 32 hex digits.
        "WorkerActivitySid" => worker_activity_sid: Option<String>,
        /// The name of the worker's activity.
        "WorkerActivityName" => worker_activity_name: Option<String>,
        /// The worker's activity before.
        "WorkerPreviousActivitySid" => worker_previous_activity_sid: Option<String>,
        /// The name of the worker's activity before.
        "WorkerPreviousActivityName" => worker_previous_activity_name: Option<String>,
        /// How long the activity before lasted, in seconds.
        "WorkerTimeInPreviousActivity" => worker_time_in_previous_activity: Option<u32>,
    }
}

webhook! {
    /// A task that `TaskRouter` offers to a worker: the assignment callback of a workflow. The answer is an instruction
    /// as JSON, within five seconds.
    ///
    /// Source: <https://www.twilio.com/docs/taskrouter/handle-assignment-callbacks>.
    pub struct TaskAssignment {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The workspace, `WS` and 32 hex digits.
        required "WorkspaceSid" => workspace_sid: String,
        /// The task, `WT` and 32 hex digits.
        required "TaskSid" => task_sid: String,
        /// The reservation, `WR` and 32 hex digits.
        required "ReservationSid" => reservation_sid: String,
        /// The worker, `WK` and 32 hex digits.
        "WorkerSid" => worker_sid: String,
        /// The workflow, `WW` and 32 hex digits.
        "WorkflowSid" => workflow_sid: Option<String>,
        /// The task queue, `WQ` and 32 hex digits.
        "TaskQueueSid" => task_queue_sid: Option<String>,
        /// The task's age in seconds.
        "TaskAge" => task_age: Option<u32>,
        /// The task's priority; a greater number comes first.
        "TaskPriority" => task_priority: Option<u32>,
        /// The app's data on the task, as JSON.
        "TaskAttributes" => task_attributes: Option<String>,
        /// The app's data on the worker, as JSON.
        "WorkerAttributes" => worker_attributes: Option<String>,
    }
}

webhook! {
    /// An error or a warning of the account: the Debugger's webhook. Answer it with
    /// [`NoContent`](crate::twiml::NoContent).
    ///
    /// Source: <https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks>.
    pub struct DebuggerEvent {
        /// The account, `AC` and 32 hex digits.
        required "AccountSid" => account_sid: String,
        /// The event, `NO` and 32 hex digits.
        required "Sid" => event_sid: String,
        /// The main account, if the event is about a subaccount.
        "ParentAccountSid" => parent_account_sid: Option<String>,
        /// How severe it is.
        "Level" => level: Option<DebuggerLevel>,
        /// When it happened, in ISO 8601 format, UTC.
        "Timestamp" => timestamp: Option<String>,
        /// The media type of the payload, `application/json`.
        "PayloadType" => payload_type: Option<String>,
        /// What happened, as JSON with `resource_sid`, `service_sid`, `error_code`, `more_info` and `webhook`.
        "Payload" => payload: Option<String>,
    }
}

choices! {
    /// How severe an event of the Debugger is.
    pub enum DebuggerLevel {
        /// An error.
        Error = "ERROR",
        /// A warning.
        Warning = "WARNING",
    }
}
