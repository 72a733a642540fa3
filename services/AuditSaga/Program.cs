using Assay.AuditSaga;
using Assay.ServiceDefaults;

return await AssayHost.RunServiceAsync(new AuditSagaModule(), args);
