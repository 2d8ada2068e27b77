// Nothing is sent anywhere but to this gateway: the validator of Swagger's own server is off.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#operations",
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
});
