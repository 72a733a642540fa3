using Assay.LlmGateway;
using Assay.ServiceDefaults;

return await AssayHost.RunServiceAsync(new LlmGatewayModule(), args);
